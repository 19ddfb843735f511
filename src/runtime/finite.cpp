#include "internal/runtime/finite.h"

#include <ATen/core/grad_mode.h>

#include <cmath>

#include "internal/runtime/libtorch.h"

namespace sextant {
namespace {

/// Whether a tensor whose sum is not finite has only finite numbers: the sum may overflow.
bool merely_overflowed(const Tensor& values) {
  const Tensor all = at::isfinite(values).all().to(at::kCPU);
  return *all.data_ptr<bool>();
}

}  // namespace

/// A flag on its way to the CPU.
struct FiniteWatch::Late {
  Tensor values;
  Tensor finite;  ///< bool, in memory that a GPU writes to by itself; filled when `there` is reached
  std::unique_ptr<libtorch::Mark> there;
  std::function<void()> complain;
};

void FiniteWatch::look(const Tensor& values, std::function<void()> complain) {
  if (values.is_meta()) return;  // shapes without numbers
  const at::NoGradGuard no_grad;
  // NaN and infinity survive a sum: one number to look at instead of a mask as large as the images.
  const Tensor sum = values.detach().sum(at::kDouble);
  if (reading_ == Reading::kAtOnce) {
    if (!std::isfinite(*sum.to(at::kCPU).data_ptr<double>()) && !merely_overflowed(values)) complain();
    return;
  }
  const Tensor finite = at::isfinite(sum);
  auto late = std::make_shared<Late>();
  late->values = values.detach();
  late->complain = std::move(complain);
  if (values.is_cuda()) {
    late->finite = at::empty({}, at::TensorOptions(at::kBool).pinned_memory(true));
    late->finite.copy_(finite, /*non_blocking=*/true);
    late->there = libtorch::Mark::make(values.device());
  } else {
    late->finite = finite;
  }
  late_.push_back(std::move(late));
}

void FiniteWatch::read(std::size_t count) {
  for (; count > 0; --count) {
    const std::shared_ptr<Late> late = late_.front();
    late_.pop_front();
    if (late->there) late->there->wait();
    if (!*late->finite.data_ptr<bool>() && !merely_overflowed(late->values)) late->complain();
  }
}

void FiniteWatch::end_step() {
  read(before_);
  before_ = late_.size();
}

void FiniteWatch::finish() {
  read(late_.size());
  before_ = 0;
}

}  // namespace sextant
