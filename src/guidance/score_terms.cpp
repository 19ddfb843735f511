// A new score is its function, a row here and its word in kScoreWords.
#include "internal/guidance/score_terms.h"

#include "sextant/guidance/score.h"

namespace sextant::guidance {

const std::vector<ScoreTerm>& score_terms() {
  static const std::vector<ScoreTerm> terms = {
      {"plain",
       "plain",
       "tau1 f_y - logsumexp(tau2 f); log p_y at the temperatures 1, 1",
       {"joint-temperature", "marginal-temperature"},
       "Dhariwal & Nichol 2021; the temperatures Ma et al. 2023",
       "-",
       [](auto& f, auto& y, auto&, auto& c) { return log_prob(f, y, c.temperatures); }},
      {"entropy",
       "entropy",
       "+ lambda_t H(p), lambda falling along the steps",
       {"lambda-max", "lambda-min", "lambda-shape"},
       "Javid et al. 2025, Prop. 1",
       "a softmax",
       [](auto& f, auto&, auto& step, auto& c) {
         return entropy(f, entropy_weight(step, c.lambda_max, c.lambda_min, c.lambda_shape));
       }},
      {"rkl",
       "reverse KL",
       "- alpha KL(q_y || p)",
       {"alpha", "epsilon"},
       "Cor. 1",
       "a softmax",
       [](auto& f, auto& y, auto&, auto& c) { return reverse_kl(f, y, c.divergence); }},
      {"fkl",
       "forward KL",
       "- alpha KL(p || q_y)",
       {"alpha", "epsilon"},
       "Cor. 2",
       "a softmax",
       [](auto& f, auto& y, auto&, auto& c) { return forward_kl(f, y, c.divergence); }},
      {"js",
       "Jensen-Shannon",
       "- alpha (KL(q_y || m) + KL(p || m))/2, m = (q_y + p)/2",
       {"alpha", "epsilon", "js-form"},
       "eq. (14), Cor. 3",
       "a softmax",
       [](auto& f, auto& y, auto&, auto& c) { return jensen_shannon(f, y, c.divergence, c.js_form); }},
      {"hellinger",
       "squared Hellinger",
       "- alpha sum (sqrt q_y - sqrt p)^2",
       {"alpha", "epsilon"},
       "Cor. 4",
       "a softmax",
       [](auto& f, auto& y, auto&, auto& c) { return hellinger(f, y, c.divergence); }},
      {"chi2",
       "Pearson chi-squared",
       "- alpha sum (p - q_y)^2/q_y",
       {"alpha", "epsilon"},
       "appendix A; Dieng et al. 2017",
       "a softmax",
       [](auto& f, auto& y, auto&, auto& c) { return chi2(f, y, c.divergence); }},
      {"alpha-div",
       "alpha-divergence of order a",
       "- alpha (sum p^a q_y^(1-a) - 1)/(a (a - 1))",
       {"alpha", "epsilon", "divergence-order"},
       "appendix A; Amari 1985; Li & Turner 2016",
       "a softmax",
       [](auto& f, auto& y, auto&, auto& c) { return alpha_divergence(f, y, c.divergence, c.divergence_order); }},
  };
  return terms;
}

}  // namespace sextant::guidance
