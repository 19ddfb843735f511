#include "sextant/networks/network.h"

#include <c10/util/StringUtil.h>

#include <unordered_set>

#include "sextant/runtime/device.h"
#include "sextant/runtime/error.h"

namespace sextant::networks {

void Network::load(const checkpoint::StateDict& published, const std::string& source) {
  const checkpoint::StateDict weights = renamed(published);
  std::unordered_set<std::string> known;
  std::vector<std::string> declared;
  for (const auto& entry : parameters_.entries()) {
    known.insert(entry.name);
    declared.push_back(entry.name);
  }
  // Extra keys first: with a wrong architecture they name the nearest right one.
  for (const auto& [name, tensor] : weights) {
    if (known.count(name)) continue;
    throw CheckpointError(c10::str(source, ": key '", name, "' ", tensor.sizes(), " is not part of this network (",
                                   weights.size(), " keys in the file, ", declared.size(), " in the network).",
                                   did_you_mean(name, declared)));
  }
  for (const auto& entry : parameters_.entries()) {
    if (!weights.contains(entry.name)) {
      if (entry.kind == Parameters::Kind::kConstant || entry.kind == Parameters::Kind::kCounter) continue;
      throw CheckpointError(c10::str(source, ": key '", entry.name, "' ", at::IntArrayRef(entry.shape), " is missing.",
                                     did_you_mean(entry.name, weights.names())));
    }
    const Tensor& value = weights.at(entry.name);
    if (value.sizes() != at::IntArrayRef(entry.shape)) {
      throw CheckpointError(c10::str(source, ": key '", entry.name, "' has shape ", value.sizes(),
                                     " in the file but the network needs ", at::IntArrayRef(entry.shape),
                                     "; check the model's configuration"));
    }
    const bool counter = entry.kind == Parameters::Kind::kCounter;
    if (!counter && !value.is_floating_point()) {
      throw CheckpointError(c10::str(source, ": key '", entry.name, "' holds ", value.scalar_type(),
                                     " where floating-point numbers were expected"));
    }
    entry.tensor.set_data(value);
  }
  to(device_, compute_);
}

void Network::to(at::Device device, at::ScalarType compute) {
  ++revision_;
  device_ = device;
  compute_ = arithmetic_type(compute, device);
  const at::ScalarType at_least_float = compute == at::kDouble ? at::kDouble : at::kFloat;
  for (const auto& entry : parameters_.entries()) {
    const bool weight = entry.kind == Parameters::Kind::kWeight;
    const at::ScalarType type = entry.kind == Parameters::Kind::kCounter ? at::kLong
                                : weight                                 ? compute
                                                                         : at_least_float;
    entry.tensor.set_data(entry.tensor.to(device, type));
    if (weight && compute_ != compute) entry.tensor.set_data(entry.tensor.to(compute_));
    // A GPU's matrix units read convolutions' numbers channels last: cuDNN would turn them round at every call.
    if (weight && device.is_cuda() && entry.tensor.dim() == 4 && compute_ != at::kDouble) {
      entry.tensor.set_data(entry.tensor.contiguous(at::MemoryFormat::ChannelsLast));
    }
  }
  if (frozen_) prepare();
}

void Network::train() {
  if (frozen_) throw Error("a network that was frozen for inference cannot be trained; open it anew");
  using Kind = Parameters::Kind;
  for (const auto& entry : parameters_.entries()) {
    if (entry.kind == Kind::kConstant) continue;
    const bool missing = entry.kind == Kind::kCounter && entry.tensor.dim() == 1;
    entry.tensor.set_data(missing ? at::zeros(entry.shape, entry.tensor.options()) : entry.tensor.clone());
    entry.tensor.requires_grad_(entry.kind == Kind::kWeight || entry.kind == Kind::kNorm);
  }
  parameters_.training()->on = true;
  ++revision_;
}

void Network::begin_batch(uint64_t seed, std::vector<int64_t> samples) const {
  parameters_.training()->seed = seed;
  parameters_.training()->samples = std::move(samples);
}

void Network::freeze() {
  frozen_ = true;
  ++revision_;
  prepare();
}

}  // namespace sextant::networks
