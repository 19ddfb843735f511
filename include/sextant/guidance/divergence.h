// Divergences between the classifier's distribution p = softmax(f) and a target distribution q, as scores to be added
// to log_prob: S = -alpha D. Shapes, errors and limits are those of score.h.
//
// A target that has zeros makes KL(p || q), chi2, the alpha-divergence of order 1 and above and f_divergence infinite:
// those throw UsageError for one, as they do for epsilon = 1.
#pragma once

#include <functional>

#include "sextant/guidance/score.h"
#include "sextant/runtime/range.h"

namespace sextant::guidance {

struct Divergence {
  double alpha = 0.1;  ///< weight; 0 turns the term off
  static constexpr Range kAlpha{0, 10};
  double epsilon = 0.1;  ///< extra mass that q_y gives the target class
  static constexpr Range kEpsilon{0, 1};
  /// q itself, [K] for all samples or [N, K]: floating point, any device, not negative, with the sum 1 (to 1e-5).
  /// Undefined is q_y(i) = (1 - eps)/K + eps [i = y], eq. (76); defined, epsilon has no part in it.
  Tensor target = {};
};

/// q_y(i) = (1 - eps)/K + eps [i = y], shaped and typed as `like`   eq. (76)
Tensor smoothed_target(const Tensor& y, const Tensor& like, double epsilon);

/// -alpha KL(q || p); the paper's "reverse KL"                  eqs. (7), (9), Cor. 1
Score reverse_kl(const Tensor& f, const Tensor& y, const Divergence& divergence);

/// -alpha KL(p || q); the paper's "forward KL"                  Cor. 2
Score forward_kl(const Tensor& f, const Tensor& y, const Divergence& divergence);

enum class JensenShannonForm {
  kEquation14,  ///< (KL(q||m) + KL(p||m))/2, m = (q+p)/2: eq. (14), the definition
  kPaper,       ///< twice that: Corollary 3 and Table 4 as printed
};

/// -alpha JS(q, p)                                              eq. (14), Cor. 3
Score jensen_shannon(const Tensor& f, const Tensor& y, const Divergence& divergence,
                     JensenShannonForm form = JensenShannonForm::kEquation14);

/// -alpha sum (sqrt q - sqrt p)^2                               Cor. 4
Score hellinger(const Tensor& f, const Tensor& y, const Divergence& divergence);

/// -alpha sum (p - q)^2/q, Pearson's. It grows as large as 1/min q: choose alpha accordingly.
Score chi2(const Tensor& f, const Tensor& y, const Divergence& divergence);

/// Below 0 a certain classifier is beyond what floats hold, 1/p among the terms; above 2 powers of 1/q are.
inline constexpr Range kDivergenceOrder{0, 2};

/// -alpha (sum p^a q^(1-a) - 1)/(a (a - 1)), the alpha-divergence of order a in kDivergenceOrder (Amari; Cressie and
/// Read): KL(q || p) at 0, twice the squared Hellinger distance at 1/2, KL(p || q) at 1, half of chi2 at 2.
Score alpha_divergence(const Tensor& f, const Tensor& y, const Divergence& divergence, double order);

/// The generator of an f-divergence D_f(q || p) = sum_i q_i f(p_i/q_i), eq. (43).
class Generator {
 public:
  /// Elementwise, for t > 0 in float32 or float64, any shape and device.
  using Function = std::function<Tensor(const Tensor& t)>;

  /// f and its derivative f'. UsageError unless, on a grid from 1/1024 to 1024, f(1) = 0, f is convex and f' its
  /// derivative (Assumption 1).
  Generator(Function f, Function derivative);

  Tensor f(const Tensor& t) const { return f_(t); }
  Tensor derivative(const Tensor& t) const { return derivative_(t); }

 private:
  Function f_;
  Function derivative_;
};

/// -alpha D_f(q || p) by Proposition 2, for any generator: dS/df_k = -alpha (w_k - p_k sum_i w_i), w_i = p_i
/// f'(p_i/q_i). p_i/q_i is kept above the dtype's smallest normal number, so logits of 1e4 give finite numbers wherever
/// f and f' do; the closed forms above are exact there as well.
Score f_divergence(const Tensor& f, const Tensor& y, const Generator& generator, const Divergence& divergence);

}  // namespace sextant::guidance
