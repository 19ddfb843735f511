// sextant._core.diffusion: noise, that of derived classes too.
#include "sextant/runtime/noise.h"

#include "bindings.h"
#include "sextant/runtime/device.h"
#include "sextant/runtime/error.h"

namespace sextant::python {
namespace {

using py::arg;

/// A Noise that Python may derive from.
class DerivedNoise : public Noise {
 public:
  DerivedNoise(uint64_t seed, std::vector<int64_t> samples, const std::vector<int64_t>& shape, at::Device device)
      : Noise(seed, std::move(samples), shape, device), shape_(shape), device_(device) {}

  /// What a copy is made of, and what a derived class keeps in the object.
  py::tuple state(const py::object& own) const {
    return py::make_tuple(ids().seed, ids().samples, shape_, device_.str(), own);
  }
  static std::shared_ptr<DerivedNoise> of_state(const py::tuple& state) {
    return std::make_shared<DerivedNoise>(state[0].cast<uint64_t>(), state[1].cast<std::vector<int64_t>>(),
                                          state[2].cast<std::vector<int64_t>>(),
                                          parse_device(state[3].cast<std::string>()));
  }

  Tensor initial() override {
    return of_python("initial", [this] { return Noise::initial(); });
  }
  Tensor at_step(int64_t step) override {
    return of_python(
        "at_step", [this, step] { return Noise::at_step(step); }, step);
  }

 private:
  /// What the derived class's function answers; what it does not answer as a tensor of its images is refused.
  template <class Own, class... Arguments>
  Tensor of_python(const char* name, Own own, Arguments... arguments) {
    std::optional<Callable> given;
    {
      const py::gil_scoped_acquire locked;
      if (const py::function found = py::get_override(static_cast<const Noise*>(this), name)) given = Callable(found);
    }
    if (!given) return own();
    const std::string who = std::string("Noise.") + name;
    const Tensor answer = given->call<Tensor>(who.c_str(), "a tensor", arguments...);
    std::vector<int64_t> wanted = {static_cast<int64_t>(ids().samples.size())};
    wanted.insert(wanted.end(), shape_.begin(), shape_.end());
    const bool fits = answer.sizes() == at::IntArrayRef(wanted) &&
                      (answer.scalar_type() == at::kFloat || answer.scalar_type() == at::kDouble);
    if (fits) return answer;
    throw ShapeError(c10::str(who, ": expected ", at::IntArrayRef(wanted), " in float32 or float64, got ",
                              answer.sizes(), " ", answer.scalar_type()));
  }

  std::vector<int64_t> shape_;
  at::Device device_;
};

}  // namespace

void bind_noise(py::module_& m) {
  py::class_<Noise, DerivedNoise, std::shared_ptr<Noise>>(m, "Noise",
                                                          "Randomness with one stream per sample: every number is a "
                                                          "function of (seed, sample, draw, element) alone. May be "
                                                          "derived from: override initial() and at_step(step).")
      .def(py::init(
               [](uint64_t seed, std::vector<int64_t> samples, std::vector<int64_t> shape, const std::string& device) {
                 for (const int64_t side : shape) {
                   if (side < 1) throw UsageError("Noise: expected a shape of positive numbers");
                 }
                 return std::make_shared<DerivedNoise>(seed, std::move(samples), shape, parse_device(device));
               }),
           doc("runtime.Noise.Noise"), arg("seed"), arg("samples"), arg("shape"), py::kw_only(), arg("device") = "cpu")
      .def(py::pickle(
          [](const py::object& self) {
            const auto& noise = dynamic_cast<const DerivedNoise&>(self.cast<const Noise&>());
            return noise.state(py::getattr(self, "__dict__", py::dict()));
          },
          [](const py::tuple& state) { return std::pair(DerivedNoise::of_state(state), state[4].cast<py::dict>()); }))
      .def_property_readonly("ids", &Noise::ids, "Seed and numbers of the samples.")
      .def(
          "initial", [](Noise& noise) { return noise.Noise::initial(); }, doc("runtime.Noise.initial"), Unlocked())
      .def(
          "at_step",
          [](Noise& noise, int64_t step) {
            if (step < 0) throw UsageError(c10::str("Noise.at_step: expected a step of at least 0, got ", step));
            return noise.Noise::at_step(step);
          },
          doc("runtime.Noise.at_step"), arg("step"), Unlocked())
      .def("normal", &Noise::normal, doc("runtime.Noise.normal"), arg("draw"), Unlocked())
      .def("uniform", &Noise::uniform, doc("runtime.Noise.uniform"), arg("draw"), Unlocked());
  const auto labels = [](uint64_t seed, const std::vector<int64_t>& samples, int64_t bound) {
    if (bound < 1) throw UsageError(c10::str("uniform_labels: expected a bound of at least 1, got ", bound));
    return uniform_labels(seed, samples, bound);
  };
  m.def("uniform_labels", labels, doc("runtime.uniform_labels"), arg("seed"), arg("samples"), arg("bound"), Unlocked());
}

}  // namespace sextant::python
