#include "gradient_sum.h"

#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/utils/lambda_post_hook.h>
#include <torch/csrc/autograd/variable.h>

namespace sextant::training {
namespace {

constexpr int64_t kBucket = 1 << 20;  // numbers, 4 MB: few enough messages, and the first one leaves early

}  // namespace

struct GradientSum::Hooks {
  // Libtorch shares these nodes by one kind of pointer or another.
  using Node = decltype(torch::autograd::impl::grad_accumulator(std::declval<const Tensor&>()));
  std::vector<Node> nodes;
  std::vector<uintptr_t> keys;

  ~Hooks() {
    for (std::size_t i = 0; i < nodes.size(); ++i) nodes[i]->del_post_hook(keys[i]);
  }
};

GradientSum::GradientSum(Weights& weights, distributed::Group& group)
    : weights_(weights), group_(group), sums_(group.sums_of(weights.master().device())) {
  if (group.alone()) return;
  make_buckets();
  hooks_ = std::make_unique<Hooks>();
  for (std::size_t slot = 0; slot < weights.slots().size(); ++slot) watch(slot);
}

GradientSum::~GradientSum() = default;

void GradientSum::make_buckets() {
  const auto& slots = weights_.slots();
  bucket_of_.resize(slots.size());
  int64_t end = weights_.size();
  for (auto slot = static_cast<int64_t>(slots.size()) - 1; slot >= 0; --slot) {
    if (buckets_.empty() || buckets_.back().end - buckets_.back().begin >= kBucket) {
      buckets_.push_back({end, end, slot, slot, 0});
    }
    Bucket& bucket = buckets_.back();
    bucket.begin = end = slots[static_cast<std::size_t>(slot)].offset;
    bucket.first = slot;
    bucket_of_[static_cast<std::size_t>(slot)] = buckets_.size() - 1;
  }
}

void GradientSum::watch(std::size_t slot) {
  using torch::autograd::variable_list;
  const auto node = torch::autograd::impl::grad_accumulator(weights_.slots()[slot].handle);
  hooks_->keys.push_back(node->add_post_hook(std::make_unique<torch::autograd::utils::LambdaPostHook>(
      [this, slot](const variable_list& outputs, const variable_list&) {
        if (active_) complete(slot);
        return outputs;
      })));
  hooks_->nodes.push_back(node);
}

void GradientSum::begin() {
  if (group_.alone()) return;
  numbers_ = at::zeros({weights_.size()}, at::TensorOptions(sums_.where).dtype(at::kFloat));
  done_.assign(weights_.slots().size(), 0);
  for (Bucket& bucket : buckets_) bucket.missing = bucket.last - bucket.first + 1;
  sent_ = 0;
  active_ = true;
}

void GradientSum::complete(std::size_t slot) {
  const at::NoGradGuard no_grad;
  if (done_[slot] != 0) return;
  done_[slot] = 1;
  const Weights::Slot& of = weights_.slots()[slot];
  const Tensor gradient = of.handle.grad();
  if (gradient.defined()) {
    numbers_.narrow(0, of.offset, of.handle.numel()).view(of.handle.sizes()).copy_(gradient);
  }
  --buckets_[bucket_of_[slot]].missing;
  send();
}

void GradientSum::send() {
  for (; sent_ < buckets_.size() && buckets_[sent_].missing == 0; ++sent_) {
    const Bucket& bucket = buckets_[sent_];
    waits_.push_back(sums_.begin(numbers_.narrow(0, bucket.begin, bucket.end - bucket.begin)));
  }
}

void GradientSum::send_rest() {
  if (!active_) return;
  active_ = false;
  for (std::size_t slot = 0; slot < done_.size(); ++slot) complete(slot);
}

Tensor GradientSum::take(double factor) {
  if (group_.alone()) return weights_.take_gradient(factor);
  const at::NoGradGuard no_grad;
  for (const auto& wait : waits_) wait();
  waits_.clear();
  weights_.clear_gradient();
  const Tensor sum = numbers_.to(weights_.master().device());
  return factor == 1 ? sum : sum.mul_(factor);
}

}  // namespace sextant::training
