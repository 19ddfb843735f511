#include <numeric>

#include "sextant/runtime/error.h"
#include "sextant/runtime/noise.h"
#include "sextant/training/training.h"
#include "streams.h"

namespace sextant::training {
namespace {

using Kind = networks::Parameters::Kind;
using Entry = networks::Parameters::Entry;

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

int64_t numel(const std::vector<int64_t>& shape) {
  return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
}

/// Layers that guided-diffusion's authors start at zero, so that every residual block starts as its skip.
bool starts_at_zero(const std::string& family, const std::string& name) {
  if (!family.starts_with("adm")) return false;
  const std::string layer = name.substr(0, name.rfind('.'));
  if (ends_with(layer, "out_layers.3") || ends_with(layer, "proj_out")) return true;
  return (family == "adm-unet" && layer == "out.2") || (family == "adm-classifier" && layer == "out.3");
}

class Initialiser {
 public:
  Initialiser(const std::vector<Entry>& entries, std::string family, uint64_t seed)
      : family_(std::move(family)), seed_(stream(seed, Purpose::kInitial)) {
    for (const Entry& entry : entries) shapes_[entry.name] = entry.shape;
  }

  Tensor value(const Entry& entry, int64_t place) const {
    const auto& shape = entry.shape;
    const Noise noise(seed_, {place}, shape);
    const auto normal = [&](double deviation) { return noise.normal(0)[0] * deviation; };
    const auto uniform = [&](int64_t fan_in) {
      return (2 * noise.uniform(0)[0] - 1) / std::sqrt(static_cast<double>(fan_in));
    };
    if (ends_with(entry.name, "running_var")) return at::ones(shape);
    if (ends_with(entry.name, "running_mean") || starts_at_zero(family_, entry.name)) return at::zeros(shape);
    if (ends_with(entry.name, "label_emb.weight")) return normal(1);
    if (ends_with(entry.name, "positional_embedding")) return normal(1 / std::sqrt(static_cast<double>(shape[0])));
    if (shape.size() >= 2) {
      const int64_t fan_in = numel(shape) / shape[0];
      const double spread = std::sqrt(2.0);
      if (family_ == "resnet" && shape.size() == 4) {
        const int64_t fan_out = shape[0] * shape[2] * shape[3];
        return normal(spread / std::sqrt(static_cast<double>(fan_out)));
      }
      if (family_ == "cifar-resnet") return normal(spread / std::sqrt(static_cast<double>(fan_in)));
      return uniform(fan_in);
    }
    if (ends_with(entry.name, ".weight")) return at::ones(shape);
    // A bias: of a norm, or of a layer whose weight says how far it spreads.
    const auto weight = shapes_.find(entry.name.substr(0, entry.name.rfind('.')) + ".weight");
    const bool of_layer = weight != shapes_.end() && weight->second.size() >= 2;
    return of_layer ? uniform(numel(weight->second) / weight->second[0]) : at::zeros(shape);
  }

 private:
  std::string family_;
  uint64_t seed_;
  std::map<std::string, std::vector<int64_t>> shapes_;
};

}  // namespace

void initialise(networks::Network& network, const std::string& family, uint64_t seed) {
  const std::vector<std::string> known = {"adm-unet", "adm-classifier", "resnet", "cifar-resnet", "mnist-features"};
  if (std::find(known.begin(), known.end(), family) == known.end()) {
    throw UsageError("networks of type '" + family +
                     "' cannot be started from new weights; adm-unet, adm-classifier, resnet, cifar-resnet and "
                     "mnist-features can, others need --init with trained ones");
  }
  const Initialiser initialiser(network.parameters().entries(), family, seed);
  checkpoint::StateDict weights;
  int64_t place = 0;
  for (const Entry& entry : network.parameters().entries()) {
    if (entry.kind == Kind::kConstant || entry.kind == Kind::kCounter) continue;
    weights.set(entry.name, initialiser.value(entry, place++).view(entry.shape));
  }
  network.load(weights, "new weights");
}

}  // namespace sextant::training
