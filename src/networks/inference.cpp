#include "internal/networks/inference.h"

#include <mutex>
#include <optional>

#include "internal/networks/scaled_gradient.h"
#include "internal/runtime/replay.h"

namespace sextant::networks {

struct Inference::Shared {
  struct Call {
    std::shared_ptr<const Network> network;
    Inference::Function f;

    Tensor operator()(const Tensor& x, const Tensor& t, const Tensor& labels) const {
      return differentiable(*network, x, [&](const Tensor& seen) { return f(seen, t, labels); });
    }
  };

  Call call;
  std::mutex mutex = {};
  std::optional<Replayed> replayed = {};
  uint64_t revision = 0;  // of the weights that were recorded

  Replayed recorded(Recorder& recorder) {
    const std::lock_guard lock(mutex);
    if (!replayed || revision != call.network->revision()) {
      revision = call.network->revision();
      replayed.emplace([call = call](const std::vector<Tensor>& in) { return call(in[0], in[1], in[2]); }, recorder);
    }
    return *replayed;
  }
};

Inference::Inference(std::shared_ptr<const Network> network, Function f)
    : shared_(new Shared{{std::move(network), std::move(f)}}) {}

Tensor Inference::operator()(const Tensor& x, const Tensor& t, const Tensor& labels) const {
  const Shared::Call& call = shared_->call;
  const auto beside = [&](const Tensor& other) { return !other.defined() || other.device() == x.device(); };
  const bool trains = call.network->parameters().training()->on;
  Recorder* recorder = trains || !beside(t) || !beside(labels) ? nullptr : recorder_of(x.device());
  return recorder ? shared_->recorded(*recorder)({x, t, labels}) : call(x, t, labels);
}

}  // namespace sextant::networks
