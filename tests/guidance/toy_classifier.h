// A small smooth classifier, and the input of one guided step.
#pragma once

#include <ATen/CPUGeneratorImpl.h>

#include "sextant/guidance/guide.h"

namespace sextant::guidance::testing {

/// logits = B tanh(A vec(x)) (+ cos(t/100) with time); adds its calls to `calls`.
inline Classifier toy_classifier(int64_t pixels, int64_t classes, at::ScalarType dtype = at::kDouble, bool time = false,
                                 int* calls = nullptr) {
  const Tensor A = at::randn({pixels, 8}, at::detail::createCPUGenerator(1), at::kDouble).to(dtype);
  const Tensor B = at::randn({8, classes}, at::detail::createCPUGenerator(2), at::kDouble).to(dtype);
  return {[=](const Tensor& x, const Tensor& t) {
            if (calls) ++*calls;
            const Tensor logits = x.flatten(1).matmul(A).tanh().matmul(B);
            return time ? logits * (t.to(x.scalar_type()) / 100).cos().unsqueeze(1) : logits;
          },
          classes, time};
}

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
