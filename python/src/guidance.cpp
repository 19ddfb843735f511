// sextant._core.guidance: scores, tilt, schedules.
#include "guidance.h"

#include <cmath>

#include "bindings.h"
#include "internal/commands/sample.h"
#include "internal/guidance/score_terms.h"
#include "internal/guidance/words.h"
#include "sextant/guidance/guide.h"
#include "sextant/guidance/score.h"

namespace sextant::python {
namespace {

using guidance::Divergence;
using guidance::Score;
using py::arg;

/// (S, dS/df)
using Pair = std::pair<Tensor, Tensor>;
Pair pair_of(Score score) { return {std::move(score.value), std::move(score.gradient)}; }

Divergence divergence(double alpha, double epsilon, const std::optional<Tensor>& target) {
  return {.alpha = alpha, .epsilon = epsilon, .target = target.value_or(Tensor())};
}

using OneDivergence = Score (*)(const Tensor&, const Tensor&, const Divergence&);

void def_divergence(py::module_& m, const char* name, OneDivergence score) {
  m.def(
      name,
      [score](const Tensor& f, const Tensor& y, double alpha, double epsilon, const std::optional<Tensor>& target) {
        return pair_of(score(f, y, divergence(alpha, epsilon, target)));
      },
      doc((std::string("guidance.") + name).c_str()), arg("f"), arg("y"), py::kw_only(), arg("alpha") = 0.1,
      arg("epsilon") = 0.1, arg("target") = py::none(), Unlocked());
}

NamedScore named(const std::string& name, const std::string& settings) {
  commands::SampleConfig config;
  apply_settings("named_score", only(commands::sample_options(config), {"guidance"}), settings);
  return {name, settings, guidance::parse_score(name, config.guidance.terms)};
}

}  // namespace

guidance::ScoreFunction score_of(const Callable& function) {
  return [function](const Tensor& f, const Tensor& y, const guidance::Step& step) -> Score {
    const auto [value, gradient] = function.call<Pair>("score", "(S, dS/df)", f, y, step);
    return {value, gradient};
  };
}

void bind_guidance(py::module_& core) {
  py::module_ m = core.def_submodule("guidance");
  using guidance::Step;
  py::class_<Step> step(m, "Step", doc("guidance.Step"));
  is_its_fields(step, &Step::index, &Step::num_steps, &Step::alpha_cumprod)
      .def(py::init([](int64_t index, int64_t num_steps, double alpha_cumprod) {
             return Step{index, num_steps, alpha_cumprod};
           }),
           arg("index") = 0, arg("num_steps") = 1, arg("alpha_cumprod") = 1.0)
      .def_readonly("index", &Step::index, doc("guidance.Step.index"))
      .def_readonly("num_steps", &Step::num_steps, doc("guidance.Step.num_steps"))
      .def_readonly("alpha_cumprod", &Step::alpha_cumprod, doc("guidance.Step.alpha_cumprod"));

  py::class_<NamedScore> bound(m, "NamedScore", doc("guidance.named_score"));
  never_changes(bound)
      .def(py::init(&named), arg("name"), arg("settings") = "{}")
      .def(
          py::pickle([](const NamedScore& score) { return std::pair(score.name, score.settings); },
                     [](const std::pair<std::string, std::string>& state) { return named(state.first, state.second); }))
      .def_readonly("name", &NamedScore::name, "The terms, as named_score() was given them.")
      .def(
          "__call__",
          [](const NamedScore& score, const Tensor& f, const Tensor& y, const guidance::Step& step) {
            return pair_of(score.function(f, y, step));
          },
          arg("f"), arg("y"), arg("step") = guidance::Step{}, Unlocked())
      .def("__repr__", [](const NamedScore& score) { return "named_score('" + score.name + "')"; });

  m.def(
      "log_prob",
      [](const Tensor& f, const Tensor& y, double joint, double marginal) {
        return pair_of(guidance::log_prob(f, y, {joint, marginal}));
      },
      doc("guidance.log_prob"), arg("f"), arg("y"), py::kw_only(), arg("joint") = 1.0, arg("marginal") = 1.0,
      Unlocked());
  m.def(
      "entropy", [](const Tensor& f, double weight) { return pair_of(guidance::entropy(f, weight)); },
      doc("guidance.entropy"), arg("f"), arg("weight") = 1.0, Unlocked());
  m.def("entropy_driven_scale", &guidance::entropy_driven_scale, doc("guidance.entropy_driven_scale"), arg("f"),
        py::kw_only(), arg("classes") = 0, Unlocked());
  def_divergence(m, "reverse_kl", guidance::reverse_kl);
  def_divergence(m, "forward_kl", guidance::forward_kl);
  def_divergence(m, "hellinger", guidance::hellinger);
  def_divergence(m, "chi2", guidance::chi2);
  m.def(
      "jensen_shannon",
      [](const Tensor& f, const Tensor& y, double alpha, double epsilon, const std::optional<Tensor>& target,
         const std::string& form) {
        return pair_of(guidance::jensen_shannon(f, y, divergence(alpha, epsilon, target),
                                                word_value("form", form, guidance::js_form_words())));
      },
      doc("guidance.jensen_shannon"), arg("f"), arg("y"), py::kw_only(), arg("alpha") = 0.1, arg("epsilon") = 0.1,
      arg("target") = py::none(), arg("form") = "eq14", Unlocked());
  m.def(
      "alpha_divergence",
      [](const Tensor& f, const Tensor& y, double order, double alpha, double epsilon,
         const std::optional<Tensor>& target) {
        return pair_of(guidance::alpha_divergence(f, y, divergence(alpha, epsilon, target), order));
      },
      doc("guidance.alpha_divergence"), arg("f"), arg("y"), py::kw_only(), arg("order") = 0.5, arg("alpha") = 0.1,
      arg("epsilon") = 0.1, arg("target") = py::none(), Unlocked());
  m.def(
      "f_divergence",
      [](const Tensor& f, const Tensor& y, const Callable& generator, const Callable& derivative, double alpha,
         double epsilon, const std::optional<Tensor>& target) {
        const auto function = [](const Callable& given) {
          return [given](const Tensor& t) { return given.call<Tensor>("f_divergence", "a tensor", t); };
        };
        const guidance::Generator made(function(generator), function(derivative));
        return pair_of(guidance::f_divergence(f, y, made, divergence(alpha, epsilon, target)));
      },
      doc("guidance.f_divergence"), arg("f"), arg("y"), arg("generator"), arg("derivative"), py::kw_only(),
      arg("alpha") = 0.1, arg("epsilon") = 0.1, arg("target") = py::none(), Unlocked());
  m.def("smoothed_target", &guidance::smoothed_target, doc("guidance.smoothed_target"), arg("y"), arg("like"),
        arg("epsilon"), Unlocked());
  m.def(
      "tilt_weights",
      [](const Tensor& scores, double tilt, const std::string& form) {
        return guidance::tilt_weights(scores, tilt, word_value("form", form, guidance::tilt_form_words()));
      },
      doc("guidance.tilt_weights"), arg("scores"), arg("tilt"), py::kw_only(), arg("form") = "mean", Unlocked());
  m.def("tilted_score", &guidance::tilted_score, doc("guidance.tilted_score"), arg("scores"), arg("tilt"), Unlocked());
  m.def(
      "entropy_weight",
      [](int64_t step, int64_t num_steps, double max, double min, const std::string& shape, double alpha_cumprod) {
        if (!std::isfinite(max) || !std::isfinite(min)) {
          throw UsageError(c10::str("entropy_weight: expected finite weights, got max = ", max, ", min = ", min));
        }
        return guidance::entropy_weight({step, num_steps, alpha_cumprod}, max, min,
                                        word_value("shape", shape, guidance::lambda_shape_words()));
      },
      doc("guidance.entropy_weight"), arg("step"), arg("num_steps"), py::kw_only(), arg("max") = 0.2, arg("min") = 0.05,
      arg("shape") = "linear", arg("alpha_cumprod") = 1.0);
  m.def("classifier_free", &guidance::classifier_free, doc("guidance.classifier_free"), arg("conditional"),
        arg("unconditional"), arg("scale"), Unlocked());
  m.def("score_words", &guidance::score_words, doc("guidance.kScoreTerms"));
}

}  // namespace sextant::python
