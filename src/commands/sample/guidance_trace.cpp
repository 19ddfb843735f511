#include "sample/guidance_trace.h"

#include "sextant/report/chart.h"

namespace sextant::commands {

using nlohmann::json;

namespace {

double total(const Tensor& values) { return values.sum(at::kDouble).item<double>(); }

}  // namespace

Tensor GuidanceTrace::add(const samplers::Step& step, const Tensor& targets) {
  if (!step.guidance) return {};
  const Tensor norms = step.guidance->gradient.flatten(1).to(at::kDouble).norm(2, 1);
  const Tensor p = at::softmax(step.guidance->logits.to(at::kDouble), 1).gather(1, targets.unsqueeze(1));
  Sum& at_step = steps_[step.step];
  at_step.images += targets.size(0);
  at_step.gradient_norm += total(norms);
  at_step.probability += total(p);
  return norms;
}

void GuidanceTrace::add(const json& former) {
  for (const json& row : former) {
    const auto images = row.at("images").get<int64_t>();
    Sum& at_step = steps_[row.at("step").get<int64_t>()];
    at_step.images += images;
    at_step.gradient_norm += static_cast<double>(images) * row.at("gradient_norm").get<double>();
    at_step.probability += static_cast<double>(images) * row.at("probability").get<double>();
  }
}

json GuidanceTrace::to_json() const {
  json rows = json::array();
  for (const auto& [step, sums] : steps_) {
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
