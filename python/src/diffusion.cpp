// sextant._core.diffusion: processes, denoisers, mixtures; noise.cpp binds the rest of it.
#include <algorithm>
#include <cmath>
#include <limits>

#include "bindings.h"
#include "checks.h"
#include "internal/diffusion/words.h"
#include "sextant/diffusion/denoiser.h"
#include "sextant/diffusion/mixture.h"
#include "sextant/diffusion/process.h"
#include "sextant/guidance/classifier.h"
#include "sextant/models/denoiser.h"
#include "sextant/runtime/error.h"

namespace sextant::python {
namespace {

using diffusion::Counts;
using diffusion::Denoiser;
using diffusion::Mixture;
using diffusion::Prediction;
using diffusion::Process;
using diffusion::ProcessConfig;
using diffusion::VarianceType;
using py::arg;

ProcessConfig process_config(const std::string& schedule, int64_t steps, const std::string& respacing,
                             const std::string& mean, const std::string& variance, bool rescale, bool clip) {
  const Words<VarianceType> variances = {{"fixed_small", VarianceType::kFixedSmall},
                                         {"fixed_large", VarianceType::kFixedLarge},
                                         {"learned", VarianceType::kLearned},
                                         {"learned_range", VarianceType::kLearnedRange}};
  return {.schedule = word_value("schedule", schedule, models::beta_schedule_words()),
          .steps = steps,
          .respacing = respacing,
          .mean = word_value("mean", mean, models::mean_type_words()),
          .variance = word_value("variance", variance, variances),
          .rescale_timesteps = rescale,
          .clip = clip};
}

diffusion::Model model_of(const Callable& model) {
  return [model](const Tensor& x, const Tensor& t, const Tensor& y) -> Tensor {
    return of_floating_point("denoiser", model.call<Tensor>("denoiser", "a tensor", x, t, y));
  };
}

std::vector<int64_t> checked_sample_shape(std::vector<int64_t> shape) {
  if (shape.size() == 3 && *std::min_element(shape.begin(), shape.end()) > 0) return shape;
  const char* expected = "Denoiser: expected sample_shape [C, H, W] of positive numbers, got ";
  if (shape.size() > 8) throw UsageError(c10::str(expected, shape.size(), " numbers"));
  throw UsageError(c10::str(expected, at::IntArrayRef(shape)));
}

/// A process as its betas, the timesteps they stand for and its configuration, which it is made of again.
py::tuple state_of(const Process& process) {
  std::vector<double> betas;
  std::vector<int64_t> timesteps;
  for (int64_t step = 0; step < process.num_steps(); ++step) {
    betas.push_back(process.beta(step));
    timesteps.push_back(process.timestep(step));
  }
  const ProcessConfig& c = process.config();
  return py::make_tuple(betas, timesteps, static_cast<int>(c.schedule), c.steps, c.respacing, static_cast<int>(c.mean),
                        static_cast<int>(c.variance), c.rescale_timesteps, c.clip);
}

Process process_of(const py::tuple& state) {
  return {state[0].cast<std::vector<double>>(),
          state[1].cast<std::vector<int64_t>>(),
          {.schedule = static_cast<diffusion::BetaSchedule>(state[2].cast<int>()),
           .steps = state[3].cast<int64_t>(),
           .respacing = state[4].cast<std::string>(),
           .mean = static_cast<diffusion::MeanType>(state[5].cast<int>()),
           .variance = static_cast<VarianceType>(state[6].cast<int>()),
           .rescale_timesteps = state[7].cast<bool>(),
           .clip = state[8].cast<bool>()}};
}

/// A process of so many steps is made in seconds.
void check_steps(std::uint64_t steps) {
  constexpr std::uint64_t kMostSteps = 1'000'000;
  if (steps < 1 || steps > kMostSteps) {
    throw UsageError(c10::str("Process: expected 1 to ", kMostSteps, " steps, got ", static_cast<int64_t>(steps)));
  }
}

void bind_process(py::module_& m) {
  py::class_<Prediction> prediction(m, "Prediction", doc("diffusion.Prediction"));
  is_its_fields(prediction, &Prediction::x0, &Prediction::mean, &Prediction::variance, &Prediction::log_variance)
      .def_readonly("x0", &Prediction::x0, doc("diffusion.Prediction.x0"))
      .def_readonly("mean", &Prediction::mean, "mu of q(x_{t-1} | x_t, x0), [N, C, H, W]")
      .def_readonly("variance", &Prediction::variance, doc("diffusion.Prediction.variance"))
      .def_readonly("log_variance", &Prediction::log_variance, doc("diffusion.Prediction.log_variance"));
  const auto entry = [](double (Process::*read)(int64_t) const) {
    return [read](const Process& process, int64_t step) { return (process.*read)(step); };
  };
  py::class_<Process> bound(m, "Process",
                            "Discrete-time Gaussian diffusion (Ho et al. 2020): q(x_t | x_0) = N(sqrt(abar_t) x_0, "
                            "(1 - abar_t) I). A step is a respaced index, 0 the cleanest.");
  never_changes(bound)
      .def(py::init([](const std::string& schedule, int64_t steps, const std::string& respacing,
                       const std::string& mean, const std::string& variance, bool rescale, bool clip,
                       const std::optional<std::vector<double>>& betas) {
             const ProcessConfig config = process_config(schedule, steps, respacing, mean, variance, rescale, clip);
             check_steps(betas ? betas->size() : static_cast<std::uint64_t>(steps));
             if (!betas) return Process(config);
             std::vector<int64_t> timesteps(betas->size());
             for (std::size_t i = 0; i < timesteps.size(); ++i) timesteps[i] = static_cast<int64_t>(i);
             ProcessConfig given = config;
             given.steps = static_cast<int64_t>(betas->size());
             const Process whole(*betas, timesteps, given);
             return respacing.empty() ? whole : whole.respaced(respacing);
           }),
           arg("schedule") = "linear", py::kw_only(), arg("steps") = 1000, arg("respacing") = "",
           arg("mean") = "epsilon", arg("variance") = "fixed_small", arg("rescale_timesteps") = false,
           arg("clip") = true, arg("betas") = py::none(), Unlocked())
      .def_property_readonly("num_steps", &Process::num_steps, "The steps that are left after respacing.")
      .def("respaced", &Process::respaced, doc("diffusion.Process.respaced"), arg("sections"), Unlocked())
      .def(py::pickle(&state_of, &process_of))
      .def("abar", entry(&Process::abar), "abar_t = prod_s (1 - beta_s), alphas_cumprod.", arg("step"))
      .def("beta", entry(&Process::beta), "beta_t.", arg("step"))
      .def(
          "timestep", [](const Process& p, int64_t step) { return p.timestep(step); },
          "The timestep that a step was before respacing.", arg("step"))
      .def(
          "q_sample",
          [](const Process& p, const Tensor& x0, int64_t step, const Tensor& noise) {
            if (noise.sizes() != of_floating_point("q_sample", x0).sizes()) {
              throw ShapeError(c10::str("q_sample: expected noise ", x0.sizes(), ", got ", noise.sizes()));
            }
            return p.q_sample(x0, step, of_floating_point("q_sample", noise));
          },
          doc("diffusion.Process.q_sample"), arg("x0"), arg("step"), arg("noise"), Unlocked())
      .def(
          "p_mean_variance",
          [](const Process& p, const Tensor& output, const Tensor& x, int64_t step) {
            return p.p_mean_variance(of_floating_point("p_mean_variance", output),
                                     of_floating_point("p_mean_variance", x), step);
          },
          doc("diffusion.Process.p_mean_variance"), arg("output"), arg("x_t"), arg("step"), Unlocked());
}

/// The attribute in which a Denoiser of a Python function keeps it.
constexpr const char* kModel = "_model";

void bind_denoiser(py::module_& m) {
  py::class_<Denoiser> bound(m, "Denoiser", py::dynamic_attr(), doc("diffusion.Model"));
  never_changes(stays_here(bound, "it holds a function; open or make it again where it is needed"))
      .def(
          "__init__",
          [](py::detail::value_and_holder& place, const Callable& model, const Process& process,
             std::vector<int64_t> shape) {
            const Held held(model);
            place.value_ptr() = new Denoiser(model_of(held.weakly()), process, checked_sample_shape(std::move(shape)));
            held.keep_in(reinterpret_cast<PyObject*>(place.inst), kModel);
          },
          py::detail::is_new_style_constructor(), arg("model"), arg("process"), arg("sample_shape"))
      .def_static(
          "in_noise_levels",
          [](const Callable& model, std::vector<int64_t> shape, double sigma_min, double sigma_max) {
            const Held held(model);
            ObjectOf<Denoiser> made =
                py::cast(Denoiser(model_of(held.weakly()), diffusion::SigmaRange{sigma_min, sigma_max, {}},
                                  checked_sample_shape(std::move(shape))));
            held.keep_in(made, kModel);
            return made;
          },
          "Of a function D(x, sigma, y) that estimates the clean image.", arg("model"), arg("sample_shape"),
          py::kw_only(), arg("sigma_min") = 0.0, arg("sigma_max") = std::numeric_limits<double>::infinity())
      .def_property_readonly("sample_shape", &Denoiser::sample_shape, "[C, H, W]")
      .def_property_readonly(
          "counts", [](const Denoiser& d) { return d.counts() == Counts::kTimesteps ? "timesteps" : "noise levels"; },
          "What the second argument is.")
      .def_property_readonly("process", &Denoiser::process, doc("diffusion.Denoiser.process"))
      .def(
          "__call__",
          [](const Denoiser& d, const Tensor& x, const Tensor& t, const std::optional<Tensor>& y) {
            return d.model()(of_floating_point("denoiser", x), t, y.value_or(Tensor()));
          },
          doc("diffusion.Model"), arg("x"), arg("t"), arg("y") = py::none(), Unlocked())
      .def(
          "predict",
          [](const Denoiser& d, const Tensor& x, int64_t step, const Tensor& y) {
            return d.predict(of_floating_point("denoiser", x), step, y);
          },
          doc("diffusion.Denoiser.predict"), arg("x"), arg("step"), arg("y"), Unlocked())
      .def(
          "denoise",
          [](const Denoiser& d, const Tensor& x, double sigma, const Tensor& y) {
            if (!(std::abs(sigma) <= std::numeric_limits<float>::max())) {
              throw UsageError(c10::str("Denoiser.denoise: expected a noise level that float32 holds, got ", sigma));
            }
            return d.denoise(of_floating_point("denoiser", x), sigma, y);
          },
          doc("diffusion.Denoiser.denoise"), arg("x"), arg("sigma"), arg("y"), Unlocked())
      .def(
          "respaced",
          [](const ObjectOf<Denoiser>& d, const std::string& sections) {
            const Denoiser& whole = *d;
            ObjectOf<Denoiser> made = py::cast([&] {
              const py::gil_scoped_release unlocked;
              return whole.respaced(sections);
            }());
            if (py::hasattr(d, kModel)) made.attr(kModel) = d.attr(kModel);
            return made;
          },
          doc("diffusion.Denoiser.respaced"), arg("sections"));
}

void bind_mixture(py::module_& m) {
  py::class_<Mixture> bound(m, "Mixture",
                            "A Gaussian mixture: a denoiser and a classifier, both exact. Points are [N, d].");
  never_changes(stays_here(bound, "keep its weights, means and covariances, and make it again of them"))
      .def(py::init<const Tensor&, const Tensor&, const Tensor&>(), doc("diffusion.Mixture.Mixture"), arg("weights"),
           arg("means"), arg("covariances"), Unlocked())
      .def("noised", &Mixture::noised, doc("diffusion.Mixture.noised"), arg("alpha_cumprod"), Unlocked())
      .def("log_joint", &Mixture::log_joint, doc("diffusion.Mixture.log_joint"), arg("x"), Unlocked())
      .def("log_density", &Mixture::log_density, doc("diffusion.Mixture.log_density"), arg("x"), Unlocked())
      .def("posterior", &Mixture::posterior, doc("diffusion.Mixture.posterior"), arg("x"), Unlocked())
      .def("score", &Mixture::score, doc("diffusion.Mixture.score"), arg("x"), Unlocked())
      .def("class_score", &Mixture::class_score, doc("diffusion.Mixture.class_score"), arg("x"), arg("y"), Unlocked())
      .def("draw", &Mixture::draw, doc("diffusion.Mixture.draw"), arg("y"), arg("normal"), Unlocked())
      .def(
          "denoiser",
          [](const Mixture& mixture, const std::optional<Process>& process, bool conditional) {
            return process ? diffusion::mixture_denoiser(mixture, *process, conditional)
                           : diffusion::mixture_denoiser(mixture, conditional);
          },
          doc("diffusion.mixture_denoiser"), arg("process") = py::none(), py::kw_only(), arg("conditional") = false)
      .def(
          "classifier",
          [](const Mixture& mixture, const std::optional<Process>& process, bool noise_levels) {
            if (process && noise_levels) {
              throw UsageError("Mixture.classifier: a process counts timesteps; give it or noise_levels=True");
            }
            if (process) return diffusion::mixture_classifier(mixture, *process);
            if (noise_levels) return diffusion::mixture_classifier(mixture, diffusion::SigmaRange());
            return diffusion::mixture_classifier(mixture);
          },
          (std::string(doc("diffusion.mixture_classifier")) + " With noise_levels=True the range is all levels.")
              .c_str(),
          arg("process") = py::none(), py::kw_only(), arg("noise_levels") = false);
}

}  // namespace

void bind_diffusion(py::module_& core) {
  py::module_ m = core.def_submodule("diffusion");
  bind_process(m);
  bind_denoiser(m);
  bind_mixture(m);
  bind_noise(m);
  m.def(
      "to_uint8",
      [](const Tensor& x, const std::string& rounding) {
        return diffusion::to_uint8(of_floating_point("to_uint8", x),
                                   word_value("rounding", rounding, diffusion::rounding_words()));
      },
      doc("diffusion.to_uint8"), arg("x"), py::kw_only(), arg("rounding") = "openai", Unlocked());
}

}  // namespace sextant::python
