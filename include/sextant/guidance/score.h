// Scores S(f, y): functions of a classifier's logits that a guide climbs.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "sextant/runtime/range.h"
#include "sextant/runtime/tensor.h"

namespace sextant::guidance {

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

// How strongly a guide pulls along the steps. Steps are respaced: index num_steps - 1 first (the noisiest), 0 last;
// UsageError for an index out of that range.

/// What the running maximum of the sine schedule reads.
enum class GammaMax {
  kPerSample,  ///< each sample its own variance: images do not depend on their batch
  kElucd       ///< one pixel of the batch's first sample, as EluCD's code does
};

/// The share of max - min that lambda_t lies above min at step t of T, abar the step's alpha_cumprod. Javid et al. 2025
/// (F.2) say that it falls and not how.
enum class LambdaShape {
  kLinear,  ///< t/(T - 1)
  kCosine,  ///< (1 - cos(pi t/(T - 1)))/2: slow at both ends
  kNoise    ///< 1 - abar: the noise's share of the variance of x_t
};

/// lambda falling from `max` at the first (noisiest) step to `min` at step 0; by kNoise between what the first and the
/// last step's noise leave of that range. A lone step has `max`, but by kNoise what its noise says.
double entropy_weight(const Step& step, double max, double min, LambdaShape shape = LambdaShape::kLinear);

// Scores of classifiers that judge attributes: K heads, each a yes or no of its own, p_k = sigmoid(f_k).
//
// Every score of classes serves: an attribute is a classification between two classes with the logits (-f_k/2, f_k/2),
// whose softmax is (1 - p_k, p_k). So log p_y becomes log sigmoid(+-f_k), a divergence that of two Bernoulli
// distributions, an entropy H(p_k).

/// S = sum_k w_k S2(f_k), S2 the score `of_two_classes` of "yes" to attribute k: with log_prob the sum of w_k log
/// sigmoid(f_k). f [N, K] is positive where the answer is the one that is asked for; an attribute whose f is exactly 0
/// has no part in it. `weights` one each, or none for 1. The labels y are not read. UsageError for another number of
/// weights, or one that is not finite.
ScoreFunction attribute_score(ScoreFunction of_two_classes, std::vector<double> weights = {});

}  // namespace sextant::guidance
