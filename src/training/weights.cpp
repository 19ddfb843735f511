#include "weights.h"

#include <ATen/core/grad_mode.h>

#include "sextant/runtime/error.h"

namespace sextant::training {

Weights::Weights(networks::Network& network, at::ScalarType compute) {
  const at::NoGradGuard no_grad;
  using Kind = networks::Parameters::Kind;
  std::vector<Tensor> values;
  int64_t offset = 0;
  for (const auto& entry : network.parameters().entries()) {
    if (entry.tensor.requires_grad()) {
      slots_.push_back({entry.name, entry.tensor, offset});
      values.push_back(entry.tensor.detach().to(at::kFloat).flatten());
      offset += entry.tensor.numel();
    } else if (entry.kind == Kind::kStatistic || entry.kind == Kind::kCounter) {
      buffers_.emplace_back(entry.name, entry.tensor);
    }
  }
  if (slots_.empty()) throw Error("a network must be opened for training before its weights are");
  master_ = at::cat(values);
  network.to(network.device(), compute);
  for (const Slot& slot : slots_) {
    if (slot.handle.scalar_type() != at::kFloat) continue;
    slot.handle.set_data(master_.narrow(0, slot.offset, slot.handle.numel()).view(slot.handle.sizes()));
  }
}

Tensor Weights::take_gradient(double factor) {
  const at::NoGradGuard no_grad;
  const Tensor gradient = at::zeros_like(master_);
  for (const Slot& slot : slots_) {
    const Tensor& of_slot = slot.handle.mutable_grad();
    if (!of_slot.defined()) continue;
    gradient.narrow(0, slot.offset, slot.handle.numel()).view(slot.handle.sizes()).copy_(of_slot);
  }
  clear_gradient();
  return factor == 1 ? gradient : gradient.mul_(factor);
}

void Weights::clear_gradient() {
  for (const Slot& slot : slots_) slot.handle.mutable_grad().reset();
}

void Weights::publish() {
  const at::NoGradGuard no_grad;
  for (const Slot& slot : slots_) {
    if (slot.handle.scalar_type() == at::kFloat) continue;
    Tensor handle = slot.handle;
    handle.copy_(master_.narrow(0, slot.offset, handle.numel()).view(handle.sizes()));
  }
}

checkpoint::StateDict Weights::state(const Tensor& flat, const std::vector<Tensor>& buffers) const {
  const at::NoGradGuard no_grad;
  checkpoint::StateDict state;
  for (const Slot& slot : slots_) {
    state.set(slot.name, flat.narrow(0, slot.offset, slot.handle.numel()).view(slot.handle.sizes()).clone());
  }
  for (std::size_t i = 0; i < buffers_.size(); ++i) state.set(buffers_[i].first, buffers.at(i).clone());
  return state;
}

}  // namespace sextant::training
