#include "common/points.h"

#include <algorithm>
#include <map>

#include "sextant/report/drawing.h"

namespace sextant::commands {
namespace {

constexpr std::size_t kMostNamed = 12;  ///< classes in a legend

double span_of(const Tensor& x) { return (x.max() - x.min()).item<double>(); }

}  // namespace

report::Drawing draw_points(const Tensor& points, const Tensor& labels, const Tensor& arrows, const std::string& title,
                            bool legend) {
  const Tensor p = points.to(at::kDouble).contiguous();
  const bool line = p.size(1) == 1;
  const Tensor x = p.select(1, 0);
  const Tensor y = line ? labels.to(at::kDouble) : p.select(1, 1);
  Tensor to_x, to_y;
  if (arrows.defined()) {
    const Tensor a = arrows.to(at::kDouble);
    const Tensor dx = a.select(1, 0), dy = line ? at::zeros_like(dx) : a.select(1, 1);
    const double longest = (dx.square() + dy.square()).max().sqrt().item<double>();
    const double factor = longest > 0 ? std::max(span_of(x), span_of(y)) / 10 / longest : 0;
    to_x = x + factor * dx;
    to_y = y + factor * dy;
  }
  std::map<int64_t, report::Curve> classes;
  for (int64_t n = 0; n < p.size(0); ++n) {
    const int64_t label = labels[n].item<int64_t>();
    report::Curve& cloud = classes[label];
    cloud.x.push_back(x[n].item<double>());
    cloud.y.push_back(y[n].item<double>());
    if (!to_x.defined()) continue;
    cloud.to_x.push_back(to_x[n].item<double>());
    cloud.to_y.push_back(to_y[n].item<double>());
  }
  report::Chart chart;
  chart.title = title;
  chart.x_label = "x1";
  chart.y_label = line ? "class" : "x2";
  chart.equal = !line;
  if (line) chart.y = {y.min().item<double>() - 0.5, y.max().item<double>() + 0.5};
  for (auto& [label, cloud] : classes) {
    cloud.marks = true;
    cloud.line = false;
    cloud.family = static_cast<std::size_t>(label);
    if (legend && classes.size() <= kMostNamed) cloud.name = "class " + std::to_string(label);
    chart.curves.push_back(std::move(cloud));
  }
  return report::draw(chart);
}

}  // namespace sextant::commands
