// A guide's settings: what they may be, and the score that they name.
#include <algorithm>
#include <cmath>

#include "check.h"
#include "sextant/guidance/guide.h"
#include "sextant/runtime/error.h"
#include "terms.h"

namespace sextant::guidance {
namespace {

void require(bool holds, const char* setting, const char* expected, double got) {
  if (!holds) throw UsageError(c10::str("guide: expected ", setting, " ", expected, ", got ", got, "."));
}

Score regulariser(Term term, const GuideConfig& config, const Tensor& f, const Tensor& y, double lambda) {
  switch (term) {
    case Term::kEntropy:
      return entropy(f, lambda);
    case Term::kReverseKl:
      return reverse_kl(f, y, config.divergence);
    case Term::kForwardKl:
      return forward_kl(f, y, config.divergence);
    case Term::kJensenShannon:
      return jensen_shannon(f, y, config.divergence, config.js_form);
    case Term::kHellinger:
      return hellinger(f, y, config.divergence);
  }
  throw UsageError("guide: unknown term of a score.");
}

}  // namespace

void check_config(const GuideConfig& config) {
  const auto finite = [](double value) { return std::isfinite(value); };
  const std::vector<Term> terms = parse_score(config.score);
  check_temperatures("guide", config.temperatures);
  check_divergence("guide", config.divergence);
  require(config.divergence.alpha >= 0, "alpha", "of at least 0", config.divergence.alpha);
  if (std::find(terms.begin(), terms.end(), Term::kForwardKl) != terms.end()) {
    check_forward_kl("guide", config.divergence.epsilon);
  }
  require(finite(config.lambda_min) && config.lambda_min >= 0, "lambda-min", "of at least 0", config.lambda_min);
  require(finite(config.lambda_max) && config.lambda_max >= config.lambda_min, "lambda-max", "of at least lambda-min",
          config.lambda_max);
  require(finite(config.tilt), "tilt", "to be finite", config.tilt);
  require(config.tilt_group >= 0, "tilt-group", "of at least 0", static_cast<double>(config.tilt_group));
  require(finite(config.scale), "scale", "to be finite", config.scale);
  require(finite(config.gamma_factor) && config.gamma_factor >= 0, "gamma-factor", "of at least 0",
          config.gamma_factor);
  require(config.entropy_classes == 0 || config.entropy_classes >= 2, "entropy-classes", "of 2 or more, or 0",
          static_cast<double>(config.entropy_classes));
  const auto [low, high] = config.interval;
  require(low >= 0 && low <= 1, "guidance-interval", "to begin in [0, 1]", low);
  require(high >= low && high <= 1, "guidance-interval", "to end between its beginning and 1", high);
  require(config.backward_steps >= 0, "backward-steps", "of at least 0", static_cast<double>(config.backward_steps));
  require(finite(config.backward_rate) && config.backward_rate > 0, "backward-lr", "above 0", config.backward_rate);
  if (config.backward_steps > 0 && config.input == Input::kNoisy) {
    throw UsageError(
        "guide: backward steps climb the score at the predicted x0, which a noise-aware classifier does"
        " not read; use guidance-input x0 or jacobian, or leave backward-steps at 0.");
  }
}

Score evaluate(const GuideConfig& config, const Tensor& f, const Tensor& y, int64_t step, int64_t num_steps) {
  const double lambda = entropy_weight(step, num_steps, config.lambda_max, config.lambda_min);
  Score sum = log_prob(f, y, config.temperatures);
  for (const Term term : parse_score(config.score)) sum = sum + regulariser(term, config, f, y, lambda);
  return sum;
}

}  // namespace sextant::guidance
