#include "internal/runtime/replay.h"

#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <deque>
#include <mutex>

#include "internal/runtime/cuda.h"
#include "sextant/runtime/error.h"
#if defined(SEXTANT_CUDA)
#include "cuda/graphs.h"
#endif

namespace sextant {
namespace replay {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;
using Inputs = std::vector<Tensor>;

/// What tells one recording from another.
struct Key {
  bool gradient;
  int64_t queue;
  std::vector<int64_t> shapes;

  bool operator==(const Key&) const = default;
};

Key key_of(const Inputs& inputs, bool gradient, int64_t queue) {
  Key key{gradient, queue, {}};
  for (const Tensor& x : inputs) {
    key.shapes.push_back(x.defined() ? static_cast<int64_t>(x.scalar_type()) : -1);
    if (!x.defined()) continue;
    key.shapes.push_back(x.dim());
    key.shapes.insert(key.shapes.end(), x.sizes().begin(), x.sizes().end());
  }
  return key;
}

/// The tensors that recorded work reads and writes. One call at a time uses them.
struct Recording {
  explicit Recording(Replayed::Function given) : f(std::move(given)) {}

  std::mutex mutex;
  Replayed::Function f;
  Inputs inputs;
  Tensor y, v, product;                     // v^T dy/dx, where it is differentiable
  std::function<void()> forward, backward;  // none where f is called each time
  uint64_t calls = 0;
  uint64_t inside = 0;  // the call whose intermediate results are there for its gradient; 0 for none

  /// y of `given`, for the call with the number returned.
  uint64_t run(const Inputs& given) {
    const at::NoGradGuard no_grad;
    for (std::size_t i = 0; i < given.size(); ++i) {
      if (given[i].defined()) inputs[i].copy_(given[i], /*non_blocking=*/true);
    }
    forward();
    inside = ++calls;
    return inside;
  }
};

std::shared_ptr<Recording> recorded(const Replayed::Function& f, Recorder& recorder, const Inputs& like,
                                    bool gradient) {
  auto made = std::make_shared<Recording>(f);
  Recording& r = *made;  // holds the work, which therefore does not hold it
  for (const Tensor& x : like) r.inputs.push_back(x.defined() ? x.detach().clone() : Tensor());
  const auto forward = [&r, gradient] {
    const at::AutoGradMode mode(gradient);
    r.y = r.f(r.inputs);
  };
  const auto backward = [&r] { r.product = torch::autograd::grad({r.y}, {r.inputs[0]}, {r.v})[0]; };
  if (gradient) r.inputs[0].requires_grad_(true);
  recorder.rehearse([&] {
    forward();
    if (!gradient || !r.y.requires_grad()) return;
    r.v = at::zeros_like(r.y);
    backward();
  });
  if (gradient && !r.y.requires_grad()) return made;  // whoever asks for a gradient says why there is none
  try {
    std::function<void()> recorded_forward = recorder.record(forward);
    if (gradient) r.backward = recorder.record(backward);
    r.forward = std::move(recorded_forward);
  } catch (const NotRecorded&) {
    return std::make_shared<Recording>(f);
  }
  return made;
}

class Repeated : public torch::autograd::Function<Repeated> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& /*x, so that autograd sees it*/, const Inputs& inputs,
                        const std::shared_ptr<Recording>& recording) {
    const std::lock_guard lock(recording->mutex);
    context->saved_data["call"] = static_cast<int64_t>(recording->run(inputs));
    context->save_for_backward(inputs);
    context->saved_data["recording"] = c10::IValue::make_capsule(c10::make_intrusive<Held>(recording));
    return recording->y.detach().clone();
  }

  static variable_list backward(AutogradContext* context, variable_list v) {
    if (at::GradMode::is_enabled()) {
      throw Error("the gradient of recorded work cannot be differentiated again; set SEXTANT_CUDA_KERNELS=0");
    }
    const auto held = context->saved_data["recording"].toCapsule();
    Recording& r = *static_cast<Held&>(*held).recording;
    const std::lock_guard lock(r.mutex);
    const auto call = static_cast<uint64_t>(context->saved_data["call"].toInt());
    if (r.inside != call) r.run(context->get_saved_variables());  // another call came between
    r.inside = 0;
    r.v.copy_(v[0], /*non_blocking=*/true);
    r.backward();
    return {r.product.clone(), Tensor(), Tensor()};
  }

 private:
  struct Held : torch::CustomClassHolder {
    explicit Held(std::shared_ptr<Recording> given) : recording(std::move(given)) {}
    std::shared_ptr<Recording> recording;
  };
};

}  // namespace replay

struct Replayed::Shared {
  Function f;
  Recorder& recorder;
  std::mutex mutex;
  std::deque<std::pair<replay::Key, std::shared_ptr<replay::Recording>>> recordings;

  std::shared_ptr<replay::Recording> find(const std::vector<Tensor>& inputs, bool gradient) {
    constexpr std::size_t kMost = 8;
    const replay::Key key = replay::key_of(inputs, gradient, recorder.queue());
    const std::lock_guard lock(mutex);
    for (const auto& [known, recording] : recordings) {
      if (known == key) return recording;
    }
    if (recordings.size() == kMost) recordings.pop_front();
    recordings.emplace_back(key, replay::recorded(f, recorder, inputs, gradient));
    return recordings.back().second;
  }
};

Replayed::Replayed(Function f, Recorder& recorder) : shared_(new Shared{std::move(f), recorder, {}, {}}) {}

Tensor Replayed::operator()(const std::vector<Tensor>& inputs) const {
  const bool gradient = at::GradMode::is_enabled() && inputs[0].requires_grad();
  const std::shared_ptr<replay::Recording> recording = shared_->find(inputs, gradient);
  if (!recording->forward) return shared_->f(inputs);
  if (gradient) return replay::Repeated::apply(inputs[0], inputs, recording);
  const std::lock_guard lock(recording->mutex);
  recording->run(inputs);
  return recording->y.clone();
}

Recorder* recorder_of([[maybe_unused]] at::Device device) {
#if defined(SEXTANT_CUDA)
  if (device.is_cuda() && own_cuda_kernels()) return cuda::graphs_on(device);
#endif
  return nullptr;
}

}  // namespace sextant
