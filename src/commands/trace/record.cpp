#include <algorithm>
#include <cmath>

#include "drawing/guidance_trace.h"
#include "trace/followed.h"

namespace sextant::commands {

using nlohmann::json;

namespace {

constexpr double kTopShare = 0.25;  ///< Javid et al. 2025, figure 1
constexpr double kVanished = 0.01;  ///< of the first gradient

/// The mean of the largest quarter, at least one value.
double top_mean(std::vector<double> values) {
  const auto top = static_cast<std::size_t>(std::ceil(kTopShare * static_cast<double>(values.size())));
  std::sort(values.begin(), values.end(), std::greater<>());
  double sum = 0;
  for (std::size_t i = 0; i < top; ++i) sum += values[i];
  return sum / static_cast<double>(top);
}

/// |g| of image n at its first guided step whose gradient is known, NaN without one.
double first_norm(const at::TensorAccessor<double, 2>& numbers) {
  for (int64_t step = numbers.size(0) - 1; step >= 0; --step) {
    if (!std::isnan(numbers[step][kGradientNorm])) return numbers[step][kGradientNorm];
  }
  return std::nan("");
}

}  // namespace

json means_of(const Followed& method) {
  TraceMeans means;
  const auto numbers = method.numbers.accessor<double, 3>();
  for (int64_t n = 0; n < numbers.size(0); ++n) {
    const double* first = method.numbers[n].data_ptr<double>();
    means.add({first, first + method.num_steps * kTraceNumbers});
  }
  json rows = means.rows();
  for (json& row : rows) {
    const int64_t step = row["step"];
    std::vector<double> confidence;
    int64_t vanished = 0;
    for (int64_t n = 0; n < numbers.size(0); ++n) {
      if (std::isnan(numbers[n][step][kGradientNorm])) continue;
      confidence.push_back(numbers[n][step][kProbability]);
      if (numbers[n][step][kGradientNorm] < kVanished * first_norm(numbers[n])) ++vanished;
    }
    row["probability_top"] = top_mean(confidence);
    row["vanished"] = static_cast<double>(vanished) / static_cast<double>(confidence.size());
  }
  return rows;
}

json record_of(const Followed& method) {
  json samples = json::array();
  for (int64_t n = 0; n < method.numbers.size(0); ++n) {
    const Tensor noisiest_first = method.numbers[n].flip(0);
    const auto series = [&](int64_t number) {
      json values = json::array();
      for (int64_t i = 0; i < method.num_steps; ++i) {
        const double value = noisiest_first[i][number].item<double>();
        values.push_back(std::isnan(value) ? json() : json(value));
      }
      return values;
    };
    samples.push_back({{"sample", n},
                       {"label", method.labels[static_cast<std::size_t>(n)]},
                       {"gradient_norm", series(kGradientNorm)},
                       {"probability", series(kProbability)},
                       {"entropy", series(kEntropy)}});
  }
  json steps = json::array();
  for (int64_t step = method.num_steps - 1; step >= 0; --step) steps.push_back(step);
  return {{"name", method.name},   {"num_steps", method.num_steps},
          {"scale", method.scale}, {"means", means_of(method)},
          {"steps", steps},        {"samples", samples}};
}

void draw_curves(const std::filesystem::path& folder, const std::vector<Followed>& methods) {
  report::Chart confidence = chart_over_steps("Confidence of the classifier", "p(target)");
  report::Chart norm = chart_over_steps("Norm of the gradient, without the scale", "mean |g|");
  report::Chart entropy = chart_over_steps("Entropy of the classifier", "mean H(p), nats");
  report::Chart vanished = chart_over_steps("Gradients below 1 % of their first", "share of the images");
  confidence.y = vanished.y = {0, 1};
  norm.log_y = true;
  const bool one = methods.size() == 1;
  for (std::size_t m = 0; m < methods.size(); ++m) {
    const json means = means_of(methods[m]);
    const std::string name = one ? "" : methods[m].name;
    const auto add = [&](report::Chart& chart, const char* number, const std::string& legend) {
      chart.curves.push_back(curve_over_steps(means, number));
      chart.curves.back().name = legend;
      chart.curves.back().family = m;
    };
    add(confidence, "probability", one ? "all images" : name);
    add(confidence, "probability_top", one ? "the most confident 25 %" : name + ", top 25 %");
    add(norm, "gradient_norm", name);
    add(entropy, "entropy", name);
    add(vanished, "vanished", name);
  }
  report::write_svg_and_png(folder / "confidence", report::draw(confidence));
  report::write_svg_and_png(folder / "gradient-norm", report::draw(norm));
  report::write_svg_and_png(folder / "entropy", report::draw(entropy));
  report::write_svg_and_png(folder / "vanished", report::draw(vanished));
}

}  // namespace sextant::commands
