// A small smooth classifier, and the input of one guided step.
#pragma once

#include <ATen/CPUGeneratorImpl.h>

#include "sextant/guidance/guide.h"

namespace sextant::guidance::testing {

/// logits = B tanh(A vec(x)) (+ cos(t/100) with time); counts its calls.
class ToyClassifier : public Classifier {
 public:
  ToyClassifier(int64_t pixels, int64_t classes, at::ScalarType dtype = at::kDouble, bool time = false)
      : A_(at::randn({pixels, 8}, at::detail::createCPUGenerator(1), at::kDouble).to(dtype)),
        B_(at::randn({8, classes}, at::detail::createCPUGenerator(2), at::kDouble).to(dtype)),
        time_(time) {}

  Tensor logits(const Tensor& x, const Tensor& t) const override {
    ++calls;
    seen = x;
    const Tensor logits = x.flatten(1).matmul(A_).tanh().matmul(B_);
    return time_ ? logits * (t.to(x.scalar_type()) / 100).cos().unsqueeze(1) : logits;
  }
  int64_t num_classes() const override { return B_.size(1); }
  bool uses_time() const override { return time_; }

  mutable int calls = 0;
  mutable Tensor seen;

 private:
  Tensor A_, B_;
  bool time_;
};

inline GuideInput step_input(int64_t n, int64_t classes, at::ScalarType dtype = at::kDouble) {
  auto generator = at::detail::createCPUGenerator(3);
  GuideInput in;
  in.x = at::randn({n, 2, 3, 3}, generator, at::kDouble).to(dtype);
  in.x0 = in.x.clamp(-1, 1);
  in.t = at::full({n}, 400.0, dtype);
  in.variance = (0.01 + at::rand({n, 2, 3, 3}, generator, at::kDouble)).to(dtype);
  in.y = at::randint(0, classes, {n}, generator, at::kLong);
  in.step = 10;
  in.num_steps = 25;
  in.alpha_cumprod = 0.3;
  return in;
}

}  // namespace sextant::guidance::testing
