// Paired comparisons: rows share seeds, so they share x_T and the noise of every step, and most of what chance does to
// one row it does to the other.
#include <cmath>

#include "sextant/metrics/metrics.h"
#include "sweep/judge.h"

namespace sextant::commands {
namespace {

constexpr int64_t kResamples = 200;

/// The quantile of the standard normal distribution that bounds the middle `level`.
double normal_quantile(double level) {
  return std::sqrt(2.0) * at::erfinv(at::full({}, level, at::kDouble)).item<double>();
}

/// P(|T| < sqrt(freedom) tan(theta)) of Student's t, a finite sum of powers of cos(theta): Abramowitz and Stegun 26.7.3
/// for odd and 26.7.4 for even degrees of freedom. It rises with theta from 0 to 1 at pi/2.
double student_inside(double theta, int64_t freedom) {
  const double square = std::cos(theta) * std::cos(theta);
  const bool odd = freedom % 2 == 1;
  double term = odd ? std::cos(theta) : 1;
  double sum = 0;
  for (int64_t power = odd ? 1 : 0; power <= freedom - 2; power += 2) {
    sum += term;
    term *= square * static_cast<double>(power + 1) / static_cast<double>(power + 2);
  }
  const double inside = std::sin(theta) * sum;
  return odd ? (theta + inside) * 2 / M_PI : inside;
}

/// The same of Student's t, by bisection to the last digit.
double student_quantile(double level, int64_t freedom) {
  constexpr int kHalvings = 60;
  double low = 0, high = M_PI / 2;
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = (low + high) / 2;
    (student_inside(middle, freedom) < level ? low : high) = middle;
  }
  return std::sqrt(static_cast<double>(freedom)) * std::tan(low);
}

struct Moments {
  double mean = 0;
  double deviation = 0;
};

Moments moments_of(const std::vector<double>& values) {
  const Tensor all = at::tensor(values, at::kDouble);
  return {all.mean().item<double>(), values.size() > 1 ? all.std().item<double>() : 0};
}

double frechet(const Scored& scored, const Tensor& indices) {
  return metrics::frechet_distance(metrics::gaussian_of(scored.features.index_select(0, indices)), *scored.reference)
      .value;
}

bool same_images(const Scored& a, const Scored& b, Tensor Scored::*part) {
  return (a.*part).defined() && (b.*part).defined() && (a.*part).size(0) == (b.*part).size(0);
}

/// The deviation of the mean difference of Frechet distances when images are drawn again.
double frechet_deviation(const std::vector<Scored>& rows, const std::vector<Scored>& baseline) {
  at::Generator random = at::detail::createCPUGenerator(0);
  std::vector<double> resampled;
  for (int64_t i = 0; i < kResamples; ++i) {
    double sum = 0;
    for (std::size_t s = 0; s < rows.size(); ++s) {
      const int64_t count = rows[s].features.size(0);
      const Tensor indices = at::randint(0, count, {count}, random, at::kLong);
      sum += frechet(rows[s], indices) - frechet(baseline[s], indices);
    }
    resampled.push_back(sum / static_cast<double>(rows.size()));
  }
  return moments_of(resampled).deviation;
}

/// The same of the mean difference of accuracies, which needs no resampling.
double accuracy_deviation(const std::vector<Scored>& rows, const std::vector<Scored>& baseline) {
  double variance = 0;
  for (std::size_t s = 0; s < rows.size(); ++s) {
    const Tensor difference = rows[s].correct - baseline[s].correct;
    if (difference.size(0) < 2) continue;
    variance += difference.var().item<double>() / static_cast<double>(difference.size(0));
  }
  return std::sqrt(variance) / static_cast<double>(rows.size());
}

const ledger::Score* find(const Scored& scored, const std::string& metric) {
  for (const ledger::Score& score : scored.scores) {
    if (score.metric == metric) return &score;
  }
  return nullptr;
}

bool all_pairs(const std::vector<Scored>& rows, const std::vector<Scored>& baseline, Tensor Scored::*part) {
  for (std::size_t s = 0; s < rows.size(); ++s) {
    if (!same_images(rows[s], baseline[s], part)) return false;
  }
  return true;
}

}  // namespace

std::vector<ledger::Score> differences(const std::vector<Scored>& rows, const std::vector<Scored>& baseline,
                                       double level) {
  std::vector<ledger::Score> result;
  if (rows.empty() || rows.size() != baseline.size()) return result;
  for (const ledger::Score& first : rows[0].scores) {
    std::vector<double> each;
    for (std::size_t s = 0; s < rows.size(); ++s) {
      const ledger::Score* row = find(rows[s], first.metric);
      const ledger::Score* base = find(baseline[s], first.metric);
      if (row && base) each.push_back(row->value - base->value);
    }
    if (each.size() != rows.size()) continue;
    const Moments moments = moments_of(each);
    ledger::Score difference{first.metric, moments.mean, {}, {}, {}};
    double reach = 0;
    if (first.metric == "fid" && all_pairs(rows, baseline, &Scored::features)) {
      difference.deviation = frechet_deviation(rows, baseline);
      reach = normal_quantile(level) * *difference.deviation;
    } else if (first.metric == "accuracy" && all_pairs(rows, baseline, &Scored::correct)) {
      difference.deviation = accuracy_deviation(rows, baseline);
      reach = normal_quantile(level) * *difference.deviation;
    } else if (each.size() > 1) {
      difference.deviation = moments.deviation / std::sqrt(static_cast<double>(each.size()));
      reach = student_quantile(level, static_cast<int64_t>(each.size()) - 1) * *difference.deviation;
    }
    if (difference.deviation) {
      difference.low = moments.mean - reach;
      difference.high = moments.mean + reach;
    }
    result.push_back(difference);
  }
  return result;
}

}  // namespace sextant::commands
