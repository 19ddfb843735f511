// sextant._core.models: trained networks from folders and checkpoint files.
#include "sextant/models/models.h"

#include <torch/csrc/autograd/functions/basic_ops.h>

#include "bindings.h"
#include "checks.h"
#include "internal/commands/inspect.h"
#include "internal/commands/sample.h"
#include "internal/models/class_names.h"
#include "sextant/models/classifier.h"
#include "sextant/models/denoiser.h"
#include "sextant/runtime/device.h"
#include "sextant/runtime/error.h"

namespace sextant::python {
namespace {

using diffusion::Denoiser;
using py::arg;

/// A diffusion model with what is mixed with it, ready to draw from.
struct OpenedDenoiser : Denoiser {
  nlohmann::json config;
  std::string source;
  int64_t classes = 0;
  int64_t null_label = -1;
  std::optional<models::Decoder> decoder;
};

/// A classifier with what is known of its logits.
struct OpenedClassifier : guidance::Classifier {
  std::optional<std::vector<std::string>> attributes;
};

/// Settings of the tables [model], [classifier] and, of [sample], the device and precision.
commands::SampleConfig config_of(const std::string& who, const std::string& table, const std::string& settings) {
  commands::SampleConfig config;
  apply_settings(who, only(commands::sample_options(config), {table, "sample"}), settings);
  return config;
}

models::Placement placement_of(const commands::RunConfig& run, const std::vector<std::optional<Precision>>& parts) {
  const at::Device device = device_of(run.device);
  std::vector<std::optional<Precision>> used = parts;
  used.push_back(run.precision);
  for (const std::optional<Precision>& precision : used) {
    if (!precision) continue;
    check_precision(*precision, device);
    if (*precision == Precision::kTf32) {
      throw UsageError(
          "precision tf32 is a switch of PyTorch's: take fp32, and set torch.backends.cudnn.allow_tf32 and "
          "torch.backends.cuda.matmul.allow_tf32");
    }
  }
  return {device, dtype_of(run.precision)};
}

/// `x`, whose gradient has none of its own: the networks' are computed in closed form, so that a second one would be
/// wrong or left out without a word.
Tensor once(const Tensor& x) {
  if (!at::GradMode::is_enabled() || !x.requires_grad()) return x;
  const Tensor inside = x.view_as(x);
  inside.register_hook([x](const Tensor& gradient) -> Tensor {
    if (!at::GradMode::is_enabled()) return gradient;  // without create_graph
    torch::autograd::DelayedError refuse("sextant: the gradient of an opened network has no gradient of its own", 2);
    return refuse.apply({gradient, x})[0];  // of x too, where the gradient knows nothing of it
  });
  return inside;
}

diffusion::Model guarded(const diffusion::Model& model) {
  return diffusion::Model::Function([model](const Tensor& x, const Tensor& t, const Tensor& y,
                                            diffusion::Model::Time time) { return model(once(x), t, y, time); });
}

/// libtorch's CPU lacks half of what float16 needs.
Tensor computable(const Tensor& x) { return x.is_cpu() && x.scalar_type() == at::kHalf ? x.to(at::kFloat) : x; }

OpenedDenoiser open_denoiser(const std::string& path, const std::string& settings) {
  commands::SampleConfig config = config_of("open_denoiser", "model", settings);
  config.model.path = path;
  const models::Placement placement = placement_of(config.run, {config.model.vae_precision});
  const models::DiffusionModel model = models::open_diffusion(path, config.model.arch, placement);
  const Denoiser denoiser = models::open_denoiser(model, config.model, placement);
  OpenedDenoiser opened{model.points ? denoiser : denoiser.with(guarded(denoiser.model())),
                        model.config,
                        model.source,
                        model.classes,
                        model.null_label,
                        std::nullopt};
  if (!config.model.vae.empty()) opened.decoder = models::open_decoder(model, config.model, placement);
  return opened;
}

/// The names of the attributes that it judges; none of a classifier of classes.
std::optional<std::vector<std::string>> attributes_of(const models::ClassifierConfig& config) {
  const std::vector<models::ClassifierConfig> members = models::members_of(config);
  for (const models::ClassifierConfig& member : members) {
    if (!std::filesystem::is_directory(member.path)) continue;  // a bare file says nothing of what it judges
    const nlohmann::json described = models::description_of(member).config;
    if (!models::predicts_attributes(described)) continue;
    if (members.size() == 1) return models::class_names_of(described);
    throw UsageError("open_classifier: " + config.path +
                     ": several classifiers are averaged as classes are, which attributes are not; open one of them");
  }
  return std::nullopt;
}

OpenedClassifier open_classifier(const std::string& path, int64_t channels, int64_t side, const std::string& settings,
                                 const std::optional<Callable>& warn) {
  commands::SampleConfig config = config_of("open_classifier", "classifier", settings);
  config.classifier.path = path;
  if (channels < 0 || side < 0) {
    throw UsageError(
        c10::str("open_classifier: expected channels and side of at least 0, got ", channels, " and ", side));
  }
  const auto heard = [&](const std::string& line) {
    if (warn) warn->call<void>("warn", "nothing", line);
  };
  OpenedClassifier classifier = {
      models::open_classifier(config.classifier, placement_of(config.run, {config.classifier.precision}),
                              {channels, side}, heard),
      attributes_of(config.classifier)};
  classifier.logits =
      guidance::Logits([logits = classifier.logits](const Tensor& x, const Tensor& t, const SampleIds& ids) {
        return logits(computable(once(images("classifier", x))), t, ids);
      });
  return classifier;
}

std::string docs_of(const std::string& table) {
  commands::SampleConfig config;
  return settings_doc(only(commands::sample_options(config), {table}));
}

}  // namespace

void bind_models(py::module_& core) {
  py::module_ m = core.def_submodule("models");
  py::class_<OpenedDenoiser, Denoiser>(m, "OpenedDenoiser", doc("models.DiffusionModel"))
      .def_property_readonly(
          "config", [](const OpenedDenoiser& d) { return to_python(d.config); }, doc("models.DiffusionModel.config"))
      .def_readonly("source", &OpenedDenoiser::source, doc("models.DiffusionModel.source"))
      .def_readonly("classes", &OpenedDenoiser::classes, doc("models.DiffusionModel.classes"))
      .def_readonly("null_label", &OpenedDenoiser::null_label, doc("models.DiffusionModel.null_label"))
      .def(
          "decode",
          [](const OpenedDenoiser& d, const Tensor& z) {
            if (!d.decoder) throw UsageError(d.source + " draws images, or was opened without vae: nothing to decode");
            const int64_t channels = d.sample_shape()[0];
            if (of_floating_point("decode", z).dim() != 4 || z.size(1) != channels) {
              throw ShapeError(
                  c10::str("decode: expected latents [N, ", channels, ", H, W] of ", d.source, ", got ", z.sizes()));
            }
            return d.decoder->decode(z);
          },
          doc("models.Decoder.decode"), arg("z"), Unlocked());
  py::class_<OpenedClassifier, guidance::Classifier>(m, "OpenedClassifier", doc("guidance.Logits"))
      .def_readonly("attributes", &OpenedClassifier::attributes,
                    "The attributes that its logits judge, above 0 is a yes; None of a classifier of classes.");
  m.def("open_denoiser", &open_denoiser, arg("path"), arg("settings") = "{}", Unlocked());
  m.def("open_classifier", &open_classifier, doc("models.open_classifier"), arg("path"), arg("channels") = 0,
        arg("side") = 0, arg("settings") = "{}", arg("warn") = py::none(), Unlocked());
  m.def(
      "inspect",
      [](const std::filesystem::path& path) {
        nlohmann::json inspection;
        {
          const py::gil_scoped_release unlocked;
          inspection = commands::inspect(path);
        }
        return to_python(inspection);
      },
      arg("path"));
  m.def("denoiser_settings_doc", [] { return docs_of("model"); });
  m.def("classifier_settings_doc", [] { return docs_of("classifier"); });
}

}  // namespace sextant::python
