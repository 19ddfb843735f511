// What the files of the Python module share.
//
// Every function releases the GIL while the library works: take Unlocked as its call guard, and hold Python objects
// only in Callable. Tensors pass without a copy by libtorch's own caster; an undefined one is None.
#pragma once

#include <pybind11/functional.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>
#include <torch/csrc/utils/pybind.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "header_docs.h"
#include "internal/runtime/options.h"
#include "internal/runtime/text.h"
#include "sextant/runtime/error.h"

namespace sextant::python {

namespace py = pybind11;

/// The library works without the interpreter's lock.
using Unlocked = py::call_guard<py::gil_scoped_release>;

/// What the header says of "guidance.log_prob". Throws for what no header has, so a renamed function fails the import.
const char* doc(const char* key);

/// A Python callable that C++ may copy, call and drop from any thread, with the GIL or without.
class Callable {
 public:
  Callable() = default;
  Callable(py::object function);  // NOLINT(google-explicit-constructor): so that functions take Python callables

  explicit operator bool() const { return static_cast<bool>(function_); }

  /// One that does not keep its function alive: a Held does.
  static Callable weakly(const py::object& function);

  /// Called with the GIL taken; the result is turned into a Result. UsageError, beginning with `who`, where it is not
  /// one.
  template <class Result, class... Args>
  Result call(const char* who, const char* wanted, const Args&... args) const {
    const py::gil_scoped_acquire locked;
    const py::object answer = (weak_ ? alive(who) : *function_)(args...);
    if constexpr (!std::is_void_v<Result>) {
      try {
        return answer.cast<Result>();
      } catch (const py::cast_error&) {
        wrong_answer(who, wanted, answer);
      }
    }
  }

 private:
  friend class Held;

  [[noreturn]] static void wrong_answer(const char* who, const char* wanted, const py::object& answer);
  /// What the weak reference leads to; UsageError where it is gone.
  py::object alive(const char* who) const;

  std::shared_ptr<py::object> function_;
  bool weak_ = false;
};

/// A function that belongs to a Python object. C++ knows it weakly and the object keeps it in its __dict__, so that
/// Python's collector sees who refers to whom: an owner of a guide whose functions are its own methods can be
/// collected.
class Held {
 public:
  explicit Held(const Callable& function);

  Callable weakly() const { return Callable::weakly(holder_); }
  /// Until the object's end; its class has py::dynamic_attr.
  void keep_in(py::handle object, const char* name) const { object.attr(name) = holder_; }

 private:
  py::object holder_;
};

/// The Python object of a T, where the object is wanted as well as what it holds.
template <class T>
class ObjectOf : public py::object {
 public:
  ObjectOf() = default;
  ObjectOf(py::object object) : py::object(std::move(object)) {}  // NOLINT(google-explicit-constructor): to return one
  ObjectOf(py::handle object, borrowed_t how) : py::object(object, how) {}
  ObjectOf(py::handle object, stolen_t how) : py::object(object, how) {}

  static bool check_(py::handle object) { return py::isinstance<T>(object); }
  const T& operator*() const { return cast<const T&>(); }
};

/// Copies of what never changes are itself.
template <class Bound>
Bound& never_changes(Bound& bound) {
  const auto itself = [](py::object self) { return self; };
  bound.def("__copy__", itself);
  bound.def(
      "__deepcopy__", [](py::object self, const py::dict&) { return self; }, py::arg("memo"));
  return bound;
}

/// Copies and pickles of a value are those of its fields, None for a tensor that is undefined.
template <class Bound, class... Fields>
Bound& is_its_fields(Bound& bound, Fields Bound::type::*... fields) {
  using Value = typename Bound::type;
  return bound.def(py::pickle([fields...](const Value& value) { return py::make_tuple(value.*fields...); },
                              [fields...](const py::tuple& state) {
                                Value made;
                                std::size_t place = 0;
                                const auto take = [&](auto field) {
                                  using Field = std::decay_t<decltype(made.*field)>;
                                  const py::object given = state[place++];
                                  if (!given.is_none()) made.*field = given.cast<Field>();
                                };
                                (take(fields), ...);
                                return made;
                              }));
}

/// A TypeError for pickles of what holds functions or networks, with what to do instead.
template <class Bound>
Bound& stays_here(Bound& bound, const std::string& instead) {
  bound.def("__reduce__", [instead](const py::object& self) -> py::object {
    throw py::type_error(py::type::of(self).attr("__name__").cast<std::string>() + " cannot be pickled: " + instead);
  });
  return bound;
}

/// The value of a word; UsageError that names all of them and the nearest.
template <class Value>
Value word_value(const char* setting, const std::string& word, const Words<Value>& words) {
  if (const Value* value = value_of(words, word)) return *value;
  const std::vector<std::string> names = names_of(words);
  throw UsageError(std::string(setting) + " '" + word + "' is unknown; use " + joined(names, ", ", " or ") + "." +
                   did_you_mean(word, names));
}

/// "--gamma-max" -> "gamma_max", wherever it stands in a message.
std::string in_python_spelling(const std::string& message);

/// The settings of some tables of a command, given as JSON {"table": {"key": value}}: keys may be spelt with
/// underscores. UsageError as OptionTable::merge, in Python's spelling of the settings.
void apply_settings(const std::string& who, std::vector<OptionGroup> groups, const std::string& settings);

/// The group `name` of a command's table.
std::vector<OptionGroup> only(const std::vector<OptionGroup>& groups, const std::vector<std::string>& names);

/// The settings of the groups as a docstring lists them, a line each.
std::string settings_doc(const std::vector<OptionGroup>& groups);

/// From now on arguments that do not fit a function below this module or class become what fits, if there is such a
/// thing (a tensor of numpy's array), and are refused by a UsageError of one line if not.
void refuse_in_one_line(py::handle scope);

/// Noise, in the submodule of diffusion.
void bind_noise(py::module_& diffusion);

/// JSON as Python's own values.
py::object to_python(const nlohmann::json& value);

// Each adds a submodule.
void bind_errors(py::module_& core);
void bind_guidance(py::module_& core);
void bind_guide(py::module_& core);
void bind_diffusion(py::module_& core);
void bind_samplers(py::module_& core);
void bind_checkpoints(py::module_& core);
void bind_models(py::module_& core);
void bind_calibration(py::module_& core);
void bind_metrics(py::module_& core);
void bind_evaluation(py::module_& core);
void bind_report(py::module_& core);
void bind_runs(py::module_& core);

}  // namespace sextant::python

namespace pybind11::detail {

template <class T>
struct handle_type_name<sextant::python::ObjectOf<T>> {
  static constexpr auto name = const_name<T>();
};

/// Anything that can be called.
template <>
struct type_caster<sextant::python::Callable> {
  PYBIND11_TYPE_CASTER(sextant::python::Callable, const_name("Callable[..., Any]"));

  bool load(handle source, bool) {
    if (!source || !PyCallable_Check(source.ptr())) return false;
    value = sextant::python::Callable(reinterpret_borrow<object>(source));
    return true;
  }
};

}  // namespace pybind11::detail
