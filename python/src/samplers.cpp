// sextant._core.samplers: the loops.
#include "sextant/samplers/samplers.h"

#include "bindings.h"
#include "guidance.h"
#include "internal/commands/sample.h"
#include "sextant/diffusion/denoiser.h"
#include "sextant/runtime/error.h"

namespace sextant::python {
namespace {

using diffusion::Denoiser;
using py::arg;

/// One step as an observer in Python sees it: its own copy, so that it may be kept and changed.
struct SeenStep {
  int64_t step;
  int64_t num_steps;
  Tensor x0, x;
  std::optional<guidance::Guidance> guidance;
};

samplers::SamplerConfig config_of(const std::string& settings) {
  commands::SampleConfig config;
  apply_settings("sampler", only(commands::sample_options(config), {"sampler"}), settings);
  return config.sampler;
}

/// Ctrl-C between two steps, and the caller's own observer.
samplers::StepObserver observer_of(const std::optional<Callable>& observe) {
  return [observe](const samplers::Step& step) {
    {
      const py::gil_scoped_acquire locked;
      if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    }
    if (!observe) return;
    SeenStep seen{step.step, step.num_steps, step.x0.clone(), step.x.clone(), std::nullopt};
    if (step.guidance) seen.guidance = *step.guidance;
    observe->call<void>("observer", "nothing", seen);
  };
}

void check_rows(const char* what, const Tensor& labels, const Noise& noise) {
  if (labels.dim() == 1 && labels.scalar_type() == at::kLong &&
      labels.size(0) == static_cast<int64_t>(noise.ids().samples.size())) {
    return;
  }
  throw ShapeError(c10::str("sampler: expected ", what, " [", noise.ids().samples.size(),
                            "] int64, one per sample, got ", labels.scalar_type(), " ", labels.sizes()));
}

Tensor draw(const Denoiser& denoiser, const Tensor& labels, const Tensor& targets, Noise& noise, SharedGuide* shared,
            const std::optional<Callable>& observe, const std::string& settings) {
  check_rows("labels", labels, noise);
  check_rows("targets", targets, noise);
  const samplers::SamplerConfig config = config_of(settings);
  std::unique_lock<std::recursive_mutex> lock;
  if (shared) lock = std::unique_lock(shared->busy);
  return samplers::draw(config, denoiser, shared ? &shared->guide : nullptr, labels, targets, noise,
                        observer_of(observe));
}

}  // namespace

void bind_samplers(py::module_& core) {
  py::module_ m = core.def_submodule("samplers");
  py::class_<SeenStep> seen(m, "Step", doc("samplers.Step"));
  is_its_fields(seen, &SeenStep::step, &SeenStep::num_steps, &SeenStep::x0, &SeenStep::x, &SeenStep::guidance)
      .def_readonly("step", &SeenStep::step, doc("samplers.Step.step"))
      .def_readonly("num_steps", &SeenStep::num_steps, "Steps of the whole trajectory.")
      .def_readonly("x0", &SeenStep::x0, doc("samplers.Step.x0"))
      .def_readonly("x", &SeenStep::x, doc("samplers.Step.x"))
      .def_readonly("guidance", &SeenStep::guidance, doc("samplers.Step.guidance"));
  m.def("draw", &draw, doc("samplers.draw"), arg("denoiser"), arg("labels"), arg("targets"), arg("noise"),
        arg("guide").none(true), arg("observe").none(true), arg("settings"), Unlocked());
  m.def(
      "num_steps",
      [](const Denoiser& denoiser, const std::string& settings) {
        return samplers::num_steps(config_of(settings), denoiser);
      },
      doc("samplers.num_steps"), arg("denoiser"), arg("settings") = "{}");
  m.def(
      "words",
      [] {
        std::vector<std::string> words;
        for (const samplers::SamplerRow& row : samplers::table()) words.push_back(row.word);
        return words;
      },
      "The words of the samplers.");
  m.def("settings_doc", [] {
    commands::SampleConfig config;
    return settings_doc(only(commands::sample_options(config), {"sampler"}));
  });
}

}  // namespace sextant::python
