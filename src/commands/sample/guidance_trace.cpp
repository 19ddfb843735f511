#include "sample/guidance_trace.h"

#include <cmath>
#include <limits>

#include "sextant/report/chart.h"

namespace sextant::commands {

using nlohmann::json;

GuidanceTrace::GuidanceTrace(int64_t images, int64_t steps)
    : points_(at::full({images, steps, kTraceNumbers}, std::numeric_limits<double>::quiet_NaN(), at::kDouble)) {}

void GuidanceTrace::add(const samplers::Step& step, const Tensor& targets) {
  if (!step.guidance) return;
  const Tensor norms = step.guidance->gradient.flatten(1).to(at::kDouble).norm(2, 1);
  const Tensor p = at::softmax(step.guidance->logits.to(at::kDouble), 1).gather(1, targets.unsqueeze(1)).squeeze(1);
  points_.select(1, step.step).copy_(at::stack({norms, p}, 1));
}

double GuidanceTrace::mean_norm(int64_t n) const {
  const auto norms = points_.accessor<double, 3>()[n];
  double sum = 0;
  int64_t guided = 0;
  for (int64_t step = norms.size(0) - 1; step >= 0; --step) {
    if (std::isnan(norms[step][0])) continue;
    sum += norms[step][0];
    ++guided;
  }
  return guided > 0 ? sum / static_cast<double>(guided) : 0;
}

json trace_of(const SampleStore& store) {
  struct Sum {
    int64_t images = 0;
    double gradient_norm = 0;
    double probability = 0;
  };
  std::vector<Sum> steps;
  for (int64_t i = 0; i < store.count(); ++i) {
    if (!store.has(i)) continue;
    const std::vector<double> numbers = store.trace(i);
    steps.resize(numbers.size() / kTraceNumbers);
    for (std::size_t step = 0; step < steps.size(); ++step) {
      const double* point = numbers.data() + step * kTraceNumbers;
      if (std::isnan(point[0])) continue;
      steps[step].images += 1;
      steps[step].gradient_norm += point[0];
      steps[step].probability += point[1];
    }
  }
  json rows = json::array();
  for (std::size_t step = steps.size(); step-- > 0;) {
    const Sum& sums = steps[step];
    if (sums.images == 0) continue;
    const auto n = static_cast<double>(sums.images);
    rows.push_back({{"step", step},
                    {"images", sums.images},
                    {"gradient_norm", sums.gradient_norm / n},
                    {"probability", sums.probability / n}});
  }
  return rows;
}

void write_trace(const std::filesystem::path& folder, const json& trace) {
  if (trace.empty()) {
    for (const char* file : {"gradient-norm.svg", "gradient-norm.png"}) std::filesystem::remove(folder / file);
    return;
  }
  if (!report::can_draw()) return;
  report::Curve norm;
  norm.marks = true;
  for (const json& row : trace) {
    norm.x.push_back(static_cast<double>(norm.x.size() + 1));
    norm.y.push_back(row.at("gradient_norm"));
  }
  report::Chart chart;
  chart.title = "Norm of the guidance gradient";
  chart.x_label = "guided step";
  chart.y_label = "mean |g|";
  chart.curves = {std::move(norm)};
  report::write_svg_and_png(folder / "gradient-norm", report::draw(chart));
}

}  // namespace sextant::commands
