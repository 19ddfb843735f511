// sextant._core.report: pictures.
#include "bindings.h"
#include "sextant/report/drawing.h"

namespace sextant::python {

void bind_report(py::module_& core) {
  using py::arg;
  py::module_ m = core.def_submodule("report");
  m.def(
      "grid",
      [](const Tensor& images, int64_t columns, int64_t scale) {
        report::GridStyle style;
        style.columns = columns;
        style.scale = scale;
        return report::grid(images, style);
      },
      doc("report.grid"), arg("images"), py::kw_only(), arg("columns") = 0, arg("scale") = 1, Unlocked());
  m.def("write_png", &report::write_png, doc("report.write_png"), arg("path"), arg("picture"), Unlocked());
  m.def(
      "chart",
      [](const std::map<std::string, std::pair<std::vector<double>, std::vector<double>>>& curves,
         const std::string& title, const std::string& x_label, const std::string& y_label) {
        report::Chart chart{.title = title, .x_label = x_label, .y_label = y_label, .curves = {}};
        for (const auto& [name, points] : curves) {
          chart.curves.push_back(report::Curve{.name = name, .x = points.first, .y = points.second});
        }
        return report::rasterized(report::draw(chart));
      },
      doc("report.Chart"), arg("curves"), py::kw_only(), arg("title") = "", arg("x_label") = "", arg("y_label") = "",
      Unlocked());
}

}  // namespace sextant::python
