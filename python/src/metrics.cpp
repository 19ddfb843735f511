// sextant._core.metrics: numbers from features.
#include "sextant/metrics/metrics.h"

#include <c10/util/StringUtil.h>

#include "bindings.h"

namespace sextant::python {
namespace {

using metrics::Gaussian;
using py::arg;

std::pair<double, double> pair_of(const metrics::MeanStd& of) { return {of.mean, of.standard_deviation}; }

}  // namespace

void bind_metrics(py::module_& core) {
  py::module_ m = core.def_submodule("metrics");
  py::class_<Gaussian> bound(m, "Gaussian", doc("metrics.Gaussian"));
  is_its_fields(bound, &Gaussian::mean, &Gaussian::covariance, &Gaussian::count)
      .def(py::init([](Tensor mean, Tensor covariance, int64_t count) {
             return Gaussian{std::move(mean), std::move(covariance), count};
           }),
           arg("mean"), arg("covariance"), arg("count") = 0)
      .def_readonly("mean", &Gaussian::mean, doc("metrics.Gaussian.mean"))
      .def_readonly("covariance", &Gaussian::covariance, doc("metrics.Gaussian.covariance"))
      .def_readonly("count", &Gaussian::count, doc("metrics.Gaussian.count"));
  m.def("gaussian_of", &metrics::gaussian_of, "Mean and covariance of features [N, D].", arg("features"), Unlocked());
  m.def(
      "frechet_distance", [](const Gaussian& a, const Gaussian& b) { return metrics::frechet_distance(a, b).value; },
      doc("metrics.frechet_distance"), arg("a"), arg("b"), Unlocked());
  m.def(
      "frechet_infinity",
      [](const Tensor& features, const Gaussian& reference, int64_t smallest, int64_t points, uint32_t seed) {
        constexpr int64_t kMostPoints = 1000;  // each is a distance of its own
        if (points > kMostPoints) {
          throw UsageError(c10::str("frechet_infinity: expected 2 to ", kMostPoints, " points, got ", points));
        }
        return metrics::frechet_infinity(features, reference, smallest, points, seed).value;
      },
      doc("metrics.FrechetInfinity"), arg("features"), arg("reference"), arg("smallest"), py::kw_only(),
      arg("points") = 15, arg("seed") = 0, Unlocked());
  m.def(
      "inception_score_chunks",
      [](const Tensor& logits, int64_t chunk) { return pair_of(metrics::inception_score_chunks(logits, chunk)); },
      doc("metrics.inception_score_chunks"), arg("logits"), py::kw_only(), arg("chunk") = 5000, Unlocked());
  m.def(
      "inception_score_splits",
      [](const Tensor& logits, int64_t splits, const std::optional<Tensor>& permutation) {
        return pair_of(metrics::inception_score_splits(logits, splits, permutation.value_or(Tensor())));
      },
      doc("metrics.inception_score_splits"), arg("logits"), py::kw_only(), arg("splits") = 10,
      arg("permutation") = py::none(), Unlocked());
  m.def(
      "kernel_distance",
      [](const Tensor& a, const Tensor& b, int64_t subsets, int64_t subset_size, uint32_t seed) {
        const metrics::KernelDistance of = metrics::kernel_distance(a, b, subsets, subset_size, {}, seed);
        return std::pair(of.mean, of.standard_deviation);
      },
      doc("metrics.kernel_distance"), arg("a"), arg("b"), py::kw_only(), arg("subsets") = 100,
      arg("subset_size") = 1000, arg("seed") = 2020, Unlocked());
  m.def(
      "squared_mmd", [](const Tensor& a, const Tensor& b) { return metrics::squared_mmd(a, b); },
      doc("metrics.squared_mmd"), arg("a"), arg("b"), Unlocked());
  m.def(
      "precision_recall",
      [](const Tensor& reference, const Tensor& sample, int64_t neighbours) {
        const metrics::PrecisionRecall of = metrics::precision_recall(reference, sample, neighbours);
        return std::pair(of.precision, of.recall);
      },
      doc("metrics.precision_recall"), arg("reference"), arg("sample"), py::kw_only(), arg("neighbours") = 3,
      Unlocked());
  m.def(
      "density_coverage",
      [](const Tensor& reference, const Tensor& sample, int64_t neighbours) {
        const metrics::DensityCoverage of = metrics::density_coverage(reference, sample, neighbours);
        return std::pair(of.density, of.coverage);
      },
      doc("metrics.density_coverage"), arg("reference"), arg("sample"), py::kw_only(), arg("neighbours") = 5,
      Unlocked());
  m.def(
      "class_accuracy",
      [](const Tensor& logits, const Tensor& labels) { return metrics::class_accuracy(logits, labels).overall; },
      doc("metrics.class_accuracy"), arg("logits"), arg("labels"), Unlocked());
  const auto permutation = [](int64_t count, uint32_t seed) {
    if (count < 0) throw UsageError(c10::str("numpy_permutation: expected a count of at least 0, got ", count));
    return metrics::numpy_permutation(count, seed);
  };
  m.def("numpy_permutation", permutation, doc("metrics.numpy_permutation"), arg("count"), arg("seed"), Unlocked());
}

}  // namespace sextant::python
