#include "drawing/guidance_trace.h"

#include <cmath>
#include <limits>

namespace sextant::commands {

using nlohmann::json;

GuidanceTrace::GuidanceTrace(int64_t images, int64_t steps, bool attributes)
    : points_(at::full({images, steps, kTraceNumbers}, std::numeric_limits<double>::quiet_NaN(), at::kDouble)),
      attributes_(attributes) {}

void GuidanceTrace::add(const samplers::Step& step, const Tensor& targets) {
  if (!step.guidance) return;
  late_steps_.push_back(step.step);
  const Tensor norms = step.guidance->gradient.flatten(1).to(at::kDouble).norm(2, 1);
  if (attributes_) {
    const Tensor f = step.guidance->logits.to(at::kDouble);
    const Tensor is_asked = (f != 0).to(at::kDouble);
    const Tensor yes = at::log_sigmoid(f), no = at::log_sigmoid(-f);
    const Tensor entropies = -(yes.exp() * yes + no.exp() * no);
    late_.push_back(at::stack({norms, (is_asked * yes).sum(1).exp(), (is_asked * entropies).sum(1)}, 1));
    return;
  }
  const Tensor log_p = at::log_softmax(step.guidance->logits.to(at::kDouble), 1);
  const Tensor target = log_p.gather(1, targets.unsqueeze(1)).squeeze(1).exp();
  const Tensor entropy = -(log_p.exp() * log_p).sum(1);
  late_.push_back(at::stack({norms, target, entropy}, 1));
}

const Tensor& GuidanceTrace::points() {
  if (late_.empty()) return points_;
  points_.index_copy_(1, at::tensor(late_steps_, at::kLong), at::stack(late_, 1).to(at::kCPU));
  late_.clear();
  late_steps_.clear();
  return points_;
}

double GuidanceTrace::mean_norm(int64_t n) {
  points();
  const auto norms = points_.accessor<double, 3>()[n];
  double sum = 0;
  int64_t guided = 0;
  for (int64_t step = norms.size(0) - 1; step >= 0; --step) {
    if (std::isnan(norms[step][kGradientNorm])) continue;
    sum += norms[step][kGradientNorm];
    ++guided;
  }
  return guided > 0 ? sum / static_cast<double>(guided) : 0;
}

void TraceMeans::add(const std::vector<double>& numbers) {
  steps_.resize(numbers.size() / kTraceNumbers);
  for (std::size_t step = 0; step < steps_.size(); ++step) {
    const double* point = numbers.data() + step * kTraceNumbers;
    if (std::isnan(point[kGradientNorm])) continue;
    steps_[step].images += 1;
    for (std::size_t i = 0; i < kTraceNumbers; ++i) steps_[step].of[i] += point[i];
  }
}

json TraceMeans::rows() const {
  json rows = json::array();
  for (std::size_t step = steps_.size(); step-- > 0;) {
    const Sum& sums = steps_[step];
    if (sums.images == 0) continue;
    const auto n = static_cast<double>(sums.images);
    rows.push_back({{"step", step},
                    {"images", sums.images},
                    {"gradient_norm", sums.of[kGradientNorm] / n},
                    {"probability", sums.of[kProbability] / n},
                    {"entropy", sums.of[kEntropy] / n}});
  }
  return rows;
}

report::Curve curve_over_steps(const json& rows, const std::string& number) {
  report::Curve curve;
  for (const json& row : rows) {
    curve.x.push_back(row.at("step"));
    const json& value = row.at(number);
    curve.y.push_back(value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN());
  }
  return curve;
}

report::Chart chart_over_steps(const std::string& title, const std::string& y_label) {
  report::Chart chart;
  chart.title = title;
  chart.x_label = "step t, the noisiest first";
  chart.y_label = y_label;
  chart.x_falls = true;
  return chart;
}

}  // namespace sextant::commands
