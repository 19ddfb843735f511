// Scores S(x, y) of classifier logits. The sampler climbs their gradient.
//
//   f        logits          [N, K], float32 or float64, any device
//   y        target classes  [N], int64 in [0, K), on f's device
//   returns  S [N] and dS/df [N, K], dtype and device of f
//
// Pure functions: no state, no randomness, no autograd graph, arguments untouched, callable from any thread, finite for
// |f| up to 1e4 and for K from 2 to tens of thousands. All throw ShapeError for tensors, labels among them, and
// UsageError for parameters out of range. Equation numbers are those of Javid et al. 2025 (arXiv 2511.05844).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sextant/runtime/tensor.h"

namespace sextant::guidance {

struct Score {
  Tensor value;     ///< S      [N]
  Tensor gradient;  ///< dS/df  [N, K]
};

/// Scores add up: a regularised score is log_prob + its regulariser.
Score operator+(const Score& a, const Score& b);

struct Temperatures {
  double joint = 1.0;     ///< tau1 > 0
  double marginal = 1.0;  ///< tau2 >= 0; 0 makes the denominator constant (pure joint guidance)
};

struct Divergence {
  double alpha = 0.1;    ///< weight, finite; 0 turns the term off
  double epsilon = 0.1;  ///< extra mass q_y gives the target class, in [0, 1]
};

/// log p(y|x) = tau1 f_y - logsumexp(tau2 f)                   eqs. (2), (3)
Score log_prob(const Tensor& f, const Tensor& y, Temperatures tau);

/// q_y(i) = (1 - eps)/K + eps [i = y], shaped and typed as `like`   eq. (76)
Tensor smoothed_target(const Tensor& y, const Tensor& like, double epsilon);

/// lambda H(p), p = softmax(f) at temperature 1                 Prop. 1
Score entropy(const Tensor& f, double lambda);

/// -alpha KL(q_y || p); the paper's "reverse KL"                eqs. (7), (9), Cor. 1
Score reverse_kl(const Tensor& f, const Tensor& y, Divergence divergence);

/// -alpha KL(p || q_y); the paper's "forward KL". UsageError at epsilon = 1 (infinite).   Cor. 2
Score forward_kl(const Tensor& f, const Tensor& y, Divergence divergence);

enum class JensenShannonForm {
  kEquation14,  ///< (KL(q||m) + KL(p||m))/2, m = (q+p)/2: eq. (14), the definition
  kPaper,       ///< twice that: Corollary 3 and Table 4 as printed
};

/// -alpha JS(q_y, p)                                            eq. (14), Cor. 3
Score jensen_shannon(const Tensor& f, const Tensor& y, Divergence divergence,
                     JensenShannonForm form = JensenShannonForm::kEquation14);

/// -alpha sum (sqrt q - sqrt p)^2                               Cor. 4
Score hellinger(const Tensor& f, const Tensor& y, Divergence divergence);

enum class TiltForm {
  kMeanPreserving,  ///< N w_i: the weights average to 1, so t = 0 is plain guidance
  kSumToOne,        ///< w_i as printed
};

/// Weight of each sample of the batch, w = softmax(t S) (times N): [N]       eqs. (15), (36)-(42)
Tensor tilt_weights(const Tensor& scores, double tilt, TiltForm form = TiltForm::kMeanPreserving);

/// (1/t) log mean exp(t S): [1]; the mean at t = 0             eq. (36)
Tensor tilted_score(const Tensor& scores, double tilt);

/// lambda falling linearly from `max` at the first (noisiest) step, index steps-1, to `min` at step 0    F.2
double entropy_weight(int64_t step, int64_t steps, double max, double min);

/// log(K)/H(p) per sample: entropy-driven scaling of Zheng et al. 2022; [N]. H is floored at the dtype's epsilon.
/// `classes` replaces K (the published code has 1000 for every classifier); 0 takes f's own K.
Tensor entropy_driven_scale(const Tensor& f, int64_t classes = 0);

/// `conditional` and `unconditional` mixed: u + s (c - u); s = 1 is exactly the conditional one.       Appendix A
Tensor classifier_free(const Tensor& conditional, const Tensor& unconditional, double scale);

}  // namespace sextant::guidance
