// sextant._core.calibration: measures, scaling, the Smooth ECE.
#include "sextant/calibration/calibration.h"

#include "bindings.h"
#include "sextant/report/drawing.h"

namespace sextant::python {
namespace {

using calibration::Bins;
using calibration::VectorScaling;
using py::arg;

using OneNumber = double (*)(const Tensor&, const Tensor&);
using BinnedNumber = double (*)(const Tensor&, const Tensor&, int64_t);
using MakeBins = Bins (*)(const Tensor&, const Tensor&, int64_t);
using MakeLoss = calibration::Loss (*)(const Tensor&, const Tensor&, double);

}  // namespace

void bind_calibration(py::module_& core) {
  py::module_ m = core.def_submodule("calibration");
  py::class_<Bins> of_bins(m, "Bins", doc("calibration.Bins"));
  is_its_fields(of_bins, &Bins::edges, &Bins::count, &Bins::accuracy, &Bins::confidence, &Bins::ece, &Bins::mce)
      .def_readonly("edges", &Bins::edges, doc("calibration.Bins.edges"))
      .def_readonly("count", &Bins::count, doc("calibration.Bins.count"))
      .def_readonly("accuracy", &Bins::accuracy, doc("calibration.Bins.accuracy"))
      .def_readonly("confidence", &Bins::confidence, doc("calibration.Bins.confidence"))
      .def_readonly("ece", &Bins::ece, doc("calibration.Bins.ece"))
      .def_readonly("mce", &Bins::mce, doc("calibration.Bins.mce"));
  const auto number = [&](const char* name, OneNumber function) {
    m.def(name, function, doc((std::string("calibration.") + name).c_str()), arg("f"), arg("y"), Unlocked());
  };
  number("accuracy", calibration::accuracy);
  number("negative_log_likelihood", calibration::negative_log_likelihood);
  number("brier_score", calibration::brier_score);
  number("fit_temperature", calibration::fit_temperature);
  const auto binned = [&](const char* name, BinnedNumber function) {
    m.def(name, function, doc((std::string("calibration.") + name).c_str()), arg("f"), arg("y"), py::kw_only(),
          arg("bins") = 15, Unlocked());
  };
  binned("expected_calibration_error", calibration::expected_calibration_error);
  binned("classwise_calibration_error", calibration::classwise_calibration_error);
  const auto bins = [&](const char* name, MakeBins function) {
    m.def(name, function, doc((std::string("calibration.") + name).c_str()), arg("confidence"), arg("correct"),
          py::kw_only(), arg("bins") = 15, Unlocked());
  };
  bins("equal_width_bins", calibration::equal_width_bins);
  bins("equal_mass_bins", calibration::equal_mass_bins);
  m.def("entropy", &calibration::entropy, doc("calibration.entropy"), arg("f"), Unlocked());
  m.def(
      "predict",
      [](const Tensor& f, const Tensor& y) {
        calibration::Predictions made = calibration::predict(f, y);
        return std::tuple(made.confidence, made.prediction, made.correct);
      },
      doc("calibration.predict"), arg("f"), arg("y"), Unlocked());
  m.def(
      "measure",
      [](const Tensor& f, const Tensor& y, int64_t bins, double beta) {
        std::map<std::string, double> numbers;
        Bins diagram;
        {
          const py::gil_scoped_release unlocked;
          calibration::Measures measures = calibration::measure(f, y, {.bins = bins, .beta = beta});
          numbers["count"] = static_cast<double>(measures.count);
          for (const calibration::MeasureField& field : calibration::measure_fields()) {
            numbers[field.key] = measures.*field.value;
          }
          diagram = std::move(measures.diagram);
        }
        return std::pair(numbers, diagram);
      },
      doc("calibration.measure"), arg("f"), arg("y"), py::kw_only(), arg("bins") = 15, arg("beta") = 1e-4);
  const auto loss = [&](const char* name, MakeLoss function) {
    m.def(
        name,
        [function](const Tensor& f, const Tensor& y, double number) {
          calibration::Loss made = function(f, y, number);
          return std::pair(made.value, made.gradient);
        },
        doc((std::string("calibration.") + name).c_str()), arg("f"), arg("y"), py::kw_only(), arg("beta") = 1e-4,
        Unlocked());
  };
  loss("smooth_ece", calibration::smooth_ece);
  m.def(
      "cross_entropy_with_smooth_ece",
      [](const Tensor& f, const Tensor& y, double weight, double beta) {
        calibration::Loss made = calibration::cross_entropy_with_smooth_ece(f, y, weight, beta);
        return std::pair(made.value, made.gradient);
      },
      doc("calibration.cross_entropy_with_smooth_ece"), arg("f"), arg("y"), py::kw_only(), arg("weight") = 1.0,
      arg("beta") = 1e-4, Unlocked());
  py::class_<VectorScaling> of_scaling(m, "VectorScaling", doc("calibration.VectorScaling"));
  is_its_fields(of_scaling, &VectorScaling::scale, &VectorScaling::shift)
      .def_readonly("scale", &VectorScaling::scale, doc("calibration.VectorScaling.scale"))
      .def_readonly("shift", &VectorScaling::shift, doc("calibration.VectorScaling.shift"))
      .def(
          "__call__",
          [](const VectorScaling& scaling, const Tensor& f) {
            if (f.dim() != 2 || f.size(1) != scaling.scale.numel()) {
              throw ShapeError(c10::str("VectorScaling: expected logits f [N, ", scaling.scale.numel(),
                                        "], as it was fitted to, got ", f.sizes()));
            }
            return scaling(f);
          },
          arg("f"), Unlocked());
  m.def("fit_vector_scaling", &calibration::fit_vector_scaling, doc("calibration.fit_vector_scaling"), arg("f"),
        arg("y"), py::kw_only(), arg("ridge") = 1e-4, Unlocked());
  m.def(
      "reliability_picture",
      [](const Bins& bins, const std::string& title) {
        return report::rasterized(report::draw(report::Reliability{title, bins}));
      },
      "A reliability diagram as a picture uint8 [H, W, 3].", arg("bins"), arg("title") = "", Unlocked());
  m.def(
      "write_reliability",
      [](const std::filesystem::path& path, const Bins& bins, const std::string& title) {
        report::write_drawing(path, report::draw(report::Reliability{title, bins}));
      },
      "A reliability diagram as .svg, .pdf or .png.", arg("path"), arg("bins"), arg("title") = "", Unlocked());
}

}  // namespace sextant::python
