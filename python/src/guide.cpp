// sextant._core.guide: classifiers and guides.
#include "bindings.h"
#include "checks.h"
#include "guidance.h"
#include "internal/commands/sample.h"
#include "sextant/guidance/score.h"
#include "sextant/runtime/error.h"

namespace sextant::python {
namespace {

using guidance::Classifier;
using guidance::Guidance;
using guidance::GuideInput;
using py::arg;

Classifier classifier_of(const Callable& logits, int64_t classes, bool uses_time) {
  if (classes < 0) throw UsageError(c10::str("classifier: expected classes of at least 0, got ", classes));
  Classifier classifier;
  classifier.classes = classes;
  classifier.uses_time = uses_time;
  classifier.logits = guidance::Logits([logits, classes, uses_time](const Tensor& x, const Tensor& t) {
    const char* wanted = "logits, a tensor [N, K]";
    const Tensor f =
        uses_time ? logits.call<Tensor>("classifier", wanted, x, t) : logits.call<Tensor>("classifier", wanted, x);
    if (classes > 0 && f.dim() == 2 && f.size(1) != classes) {
      throw ShapeError(
          c10::str("classifier: expected logits of ", classes, " classes, as it was said, got ", f.sizes()));
    }
    // As autocast leaves them; scores are of float32 and up.
    return f.scalar_type() == at::kHalf || f.scalar_type() == at::kBFloat16 ? f.to(at::kFloat) : f;
  });
  return classifier;
}

/// Settings of a guide and, in the same table, of the score that a name stands for.
commands::GuidanceSettings settings_of(const std::string& settings) {
  commands::SampleConfig config;
  apply_settings("Guide", only(commands::sample_options(config), {"guidance"}), settings);
  return config.guidance;
}

/// Keeps the classifier, whose function it knows weakly.
ObjectOf<SharedGuide> guide_of(const ObjectOf<Classifier>& classifier, const guidance::ScoreFunction& score,
                               const guidance::GuideConfig& config) {
  ObjectOf<SharedGuide> made =
      py::cast(std::shared_ptr<SharedGuide>(new SharedGuide{guidance::Guide(*classifier, score, config)}));
  made.attr("_classifier") = classifier;
  return made;
}

ObjectOf<SharedGuide> guide_by_name(const ObjectOf<Classifier>& classifier, const std::string& score,
                                    const std::string& settings) {
  const commands::GuidanceSettings made = settings_of(settings);
  return guide_of(classifier, guidance::parse_score(score, made.terms), made.guide);
}

ObjectOf<SharedGuide> guide_by_function(const ObjectOf<Classifier>& classifier, const Callable& score,
                                        const std::string& settings) {
  const Held held(score);
  ObjectOf<SharedGuide> made = guide_of(classifier, score_of(held.weakly()), settings_of(settings).guide);
  held.keep_in(made, "_score");
  return made;
}

GuideInput input_of(const Tensor& x0, const Tensor& y, int64_t step, int64_t num_steps, const std::optional<Tensor>& x,
                    const std::optional<Tensor>& t, const std::optional<Tensor>& variance, double alpha_cumprod,
                    const SampleIds& ids, const std::optional<Callable>& predict_x0) {
  GuideInput in;
  in.x0 = images("guide", x0);
  in.y = y;
  in.step = step;
  in.num_steps = num_steps;
  in.x = x ? images("guide", *x) : Tensor();
  in.t = t.value_or(Tensor());
  in.variance = variance.value_or(Tensor());
  in.alpha_cumprod = alpha_cumprod;
  in.ids = ids;
  if (predict_x0) {
    in.predict_x0 = [given = *predict_x0](const Tensor& x_t) {
      return given.call<Tensor>("predict_x0", "a tensor shaped as x_t", x_t);
    };
  }
  return in;
}

/// One step's answer, under the guide's lock.
template <class Work>
auto locked(SharedGuide& shared, Work work) {
  const std::lock_guard lock(shared.busy);
  return work(shared.guide);
}

}  // namespace

void bind_guide(py::module_& core) {
  py::module_ m = core.def_submodule("guide");
  py::class_<SampleIds> of_rows(m, "SampleIds", doc("runtime.SampleIds"));
  is_its_fields(of_rows, &SampleIds::seed, &SampleIds::samples, &SampleIds::time)
      .def(py::init([](uint64_t seed, std::vector<int64_t> samples) {
             return SampleIds{seed, std::move(samples)};
           }),
           arg("seed") = 0, arg("samples") = std::vector<int64_t>{})
      .def_readonly("seed", &SampleIds::seed, "Of the run.")
      .def_readonly("samples", &SampleIds::samples, doc("runtime.SampleIds.samples"));

  py::class_<Classifier> bound(m, "Classifier", py::dynamic_attr(), doc("guidance.Logits"));
  never_changes(stays_here(bound, "it holds a function; open or make it again where it is needed"))
      .def(
          "__init__",
          [](py::detail::value_and_holder& place, const Callable& logits, int64_t classes, bool uses_time) {
            const Held held(logits);
            place.value_ptr() = new Classifier(classifier_of(held.weakly(), classes, uses_time));
            held.keep_in(reinterpret_cast<PyObject*>(place.inst), "_logits");
          },
          py::detail::is_new_style_constructor(), arg("logits"), arg("classes") = 0, arg("uses_time") = false)
      .def_readonly("classes", &Classifier::classes, doc("guidance.Classifier.classes"))
      .def_readonly("uses_time", &Classifier::uses_time, doc("guidance.Classifier.uses_time"))
      .def(
          "__call__",
          [](const Classifier& classifier, const Tensor& x, const std::optional<Tensor>& t, const SampleIds& ids) {
            if (classifier.uses_time && !t) throw UsageError("this classifier reads noised images: give it t [N]");
            return classifier.logits(of_floating_point("classifier", x), t.value_or(Tensor()), ids);
          },
          arg("x"), arg("t") = py::none(), arg("ids") = SampleIds{}, Unlocked());

  py::class_<Guidance> answer(m, "Guidance", doc("guidance.Guidance"));
  is_its_fields(answer, &Guidance::gradient, &Guidance::score, &Guidance::weight, &Guidance::logits)
      .def_readonly("gradient", &Guidance::gradient, doc("guidance.Guidance.gradient"))
      .def_readonly("score", &Guidance::score, doc("guidance.Guidance.score"))
      .def_readonly("weight", &Guidance::weight, doc("guidance.Guidance.weight"))
      .def_readonly("logits", &Guidance::logits, doc("guidance.Guidance.logits"));

  py::class_<GuideInput>(m, "GuideInput", doc("guidance.GuideInput"))
      .def(py::init(&input_of), arg("x0"), arg("y"), py::kw_only(), arg("step") = 0, arg("num_steps") = 1,
           arg("x") = py::none(), arg("t") = py::none(), arg("variance") = py::none(), arg("alpha_cumprod") = 1.0,
           arg("ids") = SampleIds{}, arg("predict_x0") = py::none())
      .def_readonly("x0", &GuideInput::x0, doc("guidance.GuideInput.x0"))
      .def_readonly("step", &GuideInput::step, doc("guidance.GuideInput.step"))
      .def_readonly("num_steps", &GuideInput::num_steps, doc("guidance.GuideInput.num_steps"));
  py::class_<SharedGuide, std::shared_ptr<SharedGuide>>(m, "Guide", py::dynamic_attr(), doc("guidance.Guide"))
      .def_static("by_name", &guide_by_name, arg("classifier"), arg("score"), arg("settings"))
      .def_static("by_function", &guide_by_function, arg("classifier"), arg("score"), arg("settings"))
      .def(
          "begin", [](SharedGuide& g) { locked(g, [](auto& guide) { guide.begin(); }); }, Unlocked())
      .def(
          "active",
          [](SharedGuide& g, int64_t step, int64_t steps) {
            return locked(g, [&](auto& guide) { return guide.active(step, steps); });
          },
          doc("guidance.Guide.active"), arg("step"), arg("num_steps"), Unlocked())
      .def(
          "score_factor",
          [](SharedGuide& g, int64_t step, int64_t steps) {
            return locked(g, [&](auto& guide) { return guide.score_factor(step, steps); });
          },
          doc("guidance.Guide.score_factor"), arg("step"), arg("num_steps"), Unlocked())
      .def(
          "__call__",
          [](SharedGuide& g, const GuideInput& in) { return locked(g, [&](auto& guide) { return guide(in); }); },
          arg("input"), Unlocked())
      .def(
          "backward",
          [](SharedGuide& g, const GuideInput& in) {
            return locked(g, [&](auto& guide) { return guide.backward(in); });
          },
          doc("guidance.Guide.backward"), arg("input"), Unlocked())
      .def(
          "gamma",
          [](SharedGuide& g, const GuideInput& in) {
            if (!in.variance.defined() || !in.x.defined()) throw UsageError("gamma: expected x and its variance");
            return locked(g, [&](auto& guide) { return guide.gamma(in); });
          },
          doc("guidance.Guide.gamma"), arg("input"), Unlocked());
  m.def("settings_doc", [] {
    commands::SampleConfig config;
    return settings_doc(only(commands::sample_options(config), {"guidance"}));
  });
}

}  // namespace sextant::python
