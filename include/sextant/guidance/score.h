// Scores S(x, y) of classifier logits. The sampler climbs their gradient.
//
//   f        logits          [N, K], float32 or float64, any device
//   y        target classes  [N], int64 in [0, K), on f's device
//   returns  S [N] and dS/df [N, K], dtype and device of f
//
// The scores of this module are pure functions: no state, no randomness, no autograd graph, arguments untouched,
// callable from any thread, finite for |f| up to 1e4 and for K from 2 to tens of thousands. All throw ShapeError for
// tensors, labels among them, and UsageError for parameters out of range. Equation numbers are those of Javid et al.
// 2025 (arXiv 2511.05844).
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "sextant/runtime/range.h"
#include "sextant/runtime/tensor.h"

namespace sextant::guidance {

struct Score {
  Tensor value;     ///< S      [N]
  Tensor gradient;  ///< dS/df  [N, K]
};

/// Scores add up: a regularised score is log_prob + its regulariser.
Score operator+(const Score& a, const Score& b);

/// What a score may depend on beside logits and labels: where on the trajectory the images are.
struct Step {
  int64_t index = 0;         ///< respaced: num_steps - 1 first (the noisiest), 0 last
  int64_t num_steps = 1;     ///< respaced count
  double alpha_cumprod = 1;  ///< of x_t; of a model in noise levels, 1/(1 + sigma^2)
};

/// Anything that a guide can climb. A method of your own is a lambda: it gets f detached, and returns S and dS/df.
using ScoreFunction = std::function<Score(const Tensor& f, const Tensor& y, const Step& step)>;

/// The sum of `scores`, taken in their order. UsageError when there is none, or an empty function among them.
ScoreFunction sum(std::vector<ScoreFunction> scores);

struct Temperatures {
  double joint = 1.0;  ///< tau1
  static constexpr Range kJoint{0, 100, true};
  double marginal = 1.0;  ///< tau2; 0 makes the denominator constant (pure joint guidance)
  static constexpr Range kMarginal{0, 100};
};

/// log p(y|x) = tau1 f_y - logsumexp(tau2 f)                   eqs. (2), (3)
Score log_prob(const Tensor& f, const Tensor& y, Temperatures tau);

/// lambda H(p), p = softmax(f) at temperature 1                 Prop. 1
Score entropy(const Tensor& f, double lambda);

/// log(K)/H(p) per sample: entropy-driven scaling of Zheng et al. 2022; [N]. H is floored at the dtype's epsilon.
/// `classes` replaces K (the published code has 1000 for every classifier); 0 takes f's own K.
Tensor entropy_driven_scale(const Tensor& f, int64_t classes = 0);

}  // namespace sextant::guidance
