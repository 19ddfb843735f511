#include "theory/numbers.h"

#include <cmath>

#include "internal/guidance/words.h"
#include "sextant/calibration/calibration.h"
#include "sextant/diffusion/process.h"
#include "sextant/guidance/score.h"

namespace sextant::commands {

using guidance::Score;
using nlohmann::json;

namespace {

double mean_of(const Tensor& x) { return x.mean().item<double>(); }

/// sum_k gradient_k grad l_k: the chain rule through the logits of `mixture` at x, [N, d].
Tensor through_logits(const Tensor& gradient, const diffusion::Mixture& mixture, const Tensor& x) {
  return at::bmm(gradient.unsqueeze(1), mixture.component_scores(x)).squeeze(1);
}

Tensor norm_of(const Tensor& g) { return g.norm(2, 1); }

Score plain(const Tensor& f, const Tensor& y) { return guidance::log_prob(f, y, {}); }

json gamma_at(const TheoryPoints& points, const TheoryConfig& config, double alpha, double epsilon) {
  const diffusion::Mixture noised = points.mixture.noised(config.alpha_bar);
  const Tensor f = noised.log_joint(points.x_t(config.alpha_bar));
  const Tensor gamma = (plain(f, points.y) + guidance::reverse_kl(f, points.y, {alpha, epsilon})).gradient;
  const Tensor is_y = at::one_hot(points.y, f.size(1)).to(at::kBool);
  const Tensor others = gamma.masked_fill(is_y, 0);
  return {{"alpha", alpha},
          {"epsilon", epsilon},
          {"target", mean_of(gamma.masked_select(is_y))},
          {"attraction", mean_of(others.clamp_min(0).sum(1))},
          {"repulsion", mean_of(others.clamp_max(0).sum(1))}};
}

}  // namespace

Tensor TheoryPoints::x_t(double alpha_bar) const {
  return std::sqrt(alpha_bar) * x0 + std::sqrt(1 - alpha_bar) * normal;
}

json gamma_over(const std::string& setting, const TheoryPoints& points, const TheoryConfig& config) {
  json rows = json::array();
  const bool over_alpha = setting == "alpha";
  const std::vector<double> values = over_alpha ? std::vector<double>{0, 0.05, 0.1, 0.2, 0.5, 1, 2, 5}
                                                : std::vector<double>{0, 0.1, 0.2, 0.4, 0.6, 0.8, 1};
  for (const double value : values) {
    rows.push_back(gamma_at(points, config, over_alpha ? value : config.alpha, over_alpha ? config.epsilon : value));
  }
  return rows;
}

json calibration_error(const TheoryPoints& points) {
  const Tensor f = points.mixture.log_joint(points.x0);
  const auto gradient = [&](double temperature) {
    return through_logits(plain(f / temperature, points.y).gradient / temperature, points.mixture, points.x0);
  };
  const Tensor exact = gradient(1);
  const double size = mean_of(norm_of(exact));
  json rows = json::array();
  for (const double temperature : {0.2, 0.3, 0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0, 3.0, 5.0}) {
    rows.push_back({{"temperature", temperature},
                    {"ece", calibration::expected_calibration_error(f / temperature, points.y)},
                    {"gradient_error", mean_of(norm_of(gradient(temperature) - exact)) / size}});
  }
  return rows;
}

json directions(const TheoryPoints& points) {
  json rows = json::array();
  for (const double alpha_bar : {0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 0.97, 0.99, 0.999}) {
    const diffusion::Mixture noised = points.mixture.noised(alpha_bar);
    const Tensor x = points.x_t(alpha_bar);
    const Tensor f = noised.log_joint(x);
    const Tensor to_mode = std::sqrt(alpha_bar) * points.mixture.means().index_select(0, points.y) - x;
    for (const double tau2 : {1.0, 0.5, 0.0}) {
      const Tensor g = through_logits(guidance::log_prob(f, points.y, {1, tau2}).gradient, noised, x);
      rows.push_back({{"alpha_bar", alpha_bar},
                      {"tau2", tau2},
                      {"cosine", mean_of(at::cosine_similarity(g, to_mode, 1))},
                      {"gradient_norm", mean_of(norm_of(g))}});
    }
  }
  return rows;
}

json divergence_strengths(const TheoryPoints& points, const TheoryConfig& config) {
  const diffusion::Mixture noised = points.mixture.noised(config.alpha_bar);
  const Tensor x = points.x_t(config.alpha_bar);
  const Tensor f = noised.log_joint(x);
  const double size = mean_of(norm_of(through_logits(plain(f, points.y).gradient, noised, x)));
  const guidance::Divergence divergence{config.alpha, config.epsilon};
  const std::vector<std::pair<std::string, Score>> scores = {
      {"rkl", guidance::reverse_kl(f, points.y, divergence)},
      {"fkl", guidance::forward_kl(f, points.y, divergence)},
      {"js", guidance::jensen_shannon(f, points.y, divergence)},
      {"hellinger", guidance::hellinger(f, points.y, divergence)},
      {"chi2", guidance::chi2(f, points.y, divergence)},
      {"alpha-div, order 0.5", guidance::alpha_divergence(f, points.y, divergence, 0.5)},
      {"alpha-div, order 1.5", guidance::alpha_divergence(f, points.y, divergence, 1.5)}};
  json rows = json::array();
  for (const auto& [name, score] : scores) {
    const Tensor g = through_logits(score.gradient, noised, x);
    rows.push_back({{"divergence", name},
                    {"value", -mean_of(score.value) / config.alpha},
                    {"relative_gradient", mean_of(norm_of(g)) / size}});
  }
  return rows;
}

json entropy_weights(const TheoryPoints& points) {
  constexpr int64_t kRows = 21;
  const diffusion::Process process{diffusion::ProcessConfig()};
  const int64_t last = process.num_steps() - 1;
  const guidance::ScoreConfig range;
  json rows = json::array();
  for (int64_t row = 0; row < kRows; ++row) {
    const int64_t step = last - row * last / (kRows - 1);
    const double abar = process.abar(step);
    const diffusion::Mixture noised = points.mixture.noised(abar);
    const Tensor x = points.x_t(abar);
    const Tensor f = noised.log_joint(x);
    const auto size = [&](const Score& score) { return mean_of(norm_of(through_logits(score.gradient, noised, x))); };
    const double of_one = size(guidance::entropy(f, 1)) / size(plain(f, points.y));
    for (const auto& [name, shape] : guidance::lambda_shape_words()) {
      const double lambda =
          guidance::entropy_weight({step, process.num_steps(), abar}, range.lambda_max, range.lambda_min, shape);
      rows.push_back({{"step", step},
                      {"alpha_bar", abar},
                      {"shape", name},
                      {"lambda", lambda},
                      {"relative_gradient", lambda * of_one}});
    }
  }
  return rows;
}

}  // namespace sextant::commands
