// sextant._core.evaluation: features of sets of images, and their comparison.
#include <csignal>

#include "bindings.h"
#include "progress.h"
#include "sextant/evaluation/evaluate.h"
#include "sextant/runtime/device.h"
#include "sextant/runtime/error.h"

namespace sextant::python {
namespace {

using evaluation::Embedding;
using evaluation::FeatureExtractor;
using py::arg;

/// Images that Python holds, uint8 [N, H, W, C].
class ArrayImages : public data::ImageSet {
 public:
  ArrayImages(Tensor images, const std::optional<Tensor>& labels) : images_(std::move(images)) {
    if (images_.dim() != 4 || images_.scalar_type() != at::kByte || images_.size(0) == 0 ||
        (images_.size(3) != 1 && images_.size(3) != 3)) {
      throw DataError(c10::str("images: expected uint8 [N, height, width, 3 or 1], got ", images_.scalar_type(), " ",
                               images_.sizes()));
    }
    images_ = images_.cpu();
    if (!labels) return;
    if (labels->dim() != 1 || labels->scalar_type() != at::kLong || labels->size(0) != images_.size(0)) {
      throw DataError(c10::str("labels: expected int64 [", images_.size(0), "], got ", labels->scalar_type(), " ",
                               labels->sizes()));
    }
    labels_ = labels->cpu();
  }

  int64_t size() const override { return images_.size(0); }
  Tensor image(int64_t index) const override { return images_[index].permute({2, 0, 1}).contiguous(); }
  std::string name(int64_t index) const override { return "image " + std::to_string(index) + " of the array"; }

 private:
  Tensor images_;
};

struct OpenedExtractor {
  FeatureExtractor extractor;
  evaluation::Protocol protocol;
};

/// Runs with progress told to `listener`; KeyboardInterrupt where it was stopped.
template <class Work>
auto with_progress(const std::optional<py::object>& listener, Work work) {
  PythonProgress progress(listener);
  auto result = [&] {
    const py::gil_scoped_release unlocked;
    return work(progress);
  }();
  progress.raise();
  return std::move(*result);
}

evaluation::EmbedOptions options_of(int64_t batch) {
  evaluation::EmbedOptions options;
  if (batch < 1) throw UsageError(c10::str("batch must be at least 1, got ", batch));
  options.batch = batch;
  return options;
}

Embedding embed_array(const OpenedExtractor& opened, const Tensor& images, const std::optional<Tensor>& labels,
                      int64_t batch, const std::optional<py::object>& listener) {
  return with_progress(listener, [&](PythonProgress& progress) {
    const auto set = data::as_read(std::make_unique<ArrayImages>(images, labels),
                                   {.channels = opened.extractor.network->channels()});
    return evaluation::embed(*set, "array", opened.extractor, options_of(batch), progress, progress.stop());
  });
}

Embedding embed_path(const OpenedExtractor& opened, const std::filesystem::path& path, int64_t batch,
                     const std::optional<py::object>& listener) {
  return with_progress(listener, [&](PythonProgress& progress) {
    const FeatureExtractor& extractor = opened.extractor;
    if (evaluation::has_statistics(path)) {
      return evaluation::open_reference(path, extractor, options_of(batch), {.need_features = false, .cache = false},
                                        progress, progress.stop());
    }
    // Samples or reference, who knows: with features, logits and labels, as of an array.
    const auto set = evaluation::open_images_for(extractor, path, {});
    for (const std::string& line : set->notes()) progress.note("note: " + line);
    return evaluation::embed(*set, path.string(), extractor, options_of(batch), progress, progress.stop());
  });
}

py::object evaluate(const Embedding& samples, const Embedding& reference, const OpenedExtractor& opened,
                    const std::vector<std::string>& metrics, int64_t neighbours, int64_t kid_subsets,
                    int64_t kid_subset_size, int64_t bootstrap, const std::optional<py::object>& listener) {
  evaluation::EvaluateOptions options;
  options.protocol = opened.protocol;
  for (const std::string& word : metrics) {
    options.metrics.push_back(word_value("metrics", word, evaluation::metric_words()));
  }
  options.neighbours = neighbours;
  options.kid_subsets = kid_subsets;
  options.kid_subset_size = kid_subset_size;
  options.bootstrap = bootstrap;
  options.bootstrap_fid = bootstrap == 0 ? 0 : -1;
  const evaluation::Evaluation made = with_progress(listener, [&](PythonProgress& progress) {
    return evaluation::evaluate(samples, reference, opened.extractor, options, progress, progress.stop());
  });
  return to_python(evaluation::to_json(made));
}

}  // namespace

void bind_evaluation(py::module_& core) {
  py::module_ m = core.def_submodule("evaluation");
  py::class_<Embedding> of_images(m, "Embedding", doc("evaluation.Embedding"));
  is_its_fields(of_images, &Embedding::source, &Embedding::count, &Embedding::pool, &Embedding::spatial,
                &Embedding::features, &Embedding::logits, &Embedding::judge_logits, &Embedding::labels,
                &Embedding::skipped)
      .def_readonly("source", &Embedding::source, doc("evaluation.Embedding.source"))
      .def_readonly("count", &Embedding::count, doc("evaluation.Embedding.count"))
      .def_readonly("gaussian", &Embedding::pool, doc("evaluation.Embedding.pool"))
      .def_readonly("features", &Embedding::features, doc("evaluation.Embedding.features"))
      .def_readonly("logits", &Embedding::logits, doc("evaluation.Embedding.logits"));
  py::class_<OpenedExtractor> bound(m, "Extractor", doc("evaluation.FeatureExtractor"));
  never_changes(stays_here(bound, "open it again where it is needed"))
      .def(py::init([](const std::filesystem::path& path, const std::string& protocol, const std::string& device,
                       const std::string& arch, const std::string& layer) {
             const auto chosen = word_value("protocol", protocol, evaluation::protocol_words());
             return OpenedExtractor{evaluation::open_extractor({path, arch, {}, layer}, chosen, {parse_device(device)}),
                                    chosen};
           }),
           doc("evaluation.open_extractor"), arg("path"), py::kw_only(), arg("protocol") = "openai",
           arg("device") = "cpu", arg("arch") = "", arg("layer") = "", Unlocked())
      .def_property_readonly(
          "name", [](const OpenedExtractor& e) { return e.extractor.name; }, "The network's.")
      .def("embed_array", &embed_array, doc("evaluation.embed"), arg("images"), arg("labels") = py::none(),
           py::kw_only(), arg("batch") = 64, arg("progress") = py::none())
      .def("embed_path", &embed_path, doc("evaluation.open_reference"), arg("path"), py::kw_only(), arg("batch") = 64,
           arg("progress") = py::none())
      .def(
          "save_statistics",
          [](const OpenedExtractor& e, const std::filesystem::path& path, const Embedding& embedding) {
            evaluation::save_statistics(path, evaluation::statistics_of(embedding, e.extractor, false));
          },
          doc("evaluation.statistics_of"), arg("path"), arg("embedding"), Unlocked());
  m.def("evaluate", &evaluate, doc("evaluation.evaluate"), arg("samples"), arg("reference"), arg("extractor"),
        arg("metrics"), py::kw_only(), arg("neighbours") = 3, arg("kid_subsets") = 100, arg("kid_subset_size") = 1000,
        arg("bootstrap") = 0, arg("progress") = py::none());
  m.def(
      "metric_names", [] { return names_of(evaluation::metric_words()); }, doc("evaluation.metric_words"));
}

}  // namespace sextant::python
