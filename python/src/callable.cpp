#include "bindings.h"
#include "sextant/runtime/error.h"

namespace sextant::python {

Callable::Callable(py::object function)
    : function_(new py::object(std::move(function)), [](py::object* held) {
        // After the interpreter's end there is nobody left to give it back to.
        if (!Py_IsInitialized()) return;
        const py::gil_scoped_acquire locked;
        delete held;
      }) {}

Callable Callable::weakly(const py::object& function) {
  Callable made{py::weakref(function)};
  made.weak_ = true;
  return made;
}

py::object Callable::alive(const char* who) const {
  py::object function = (*function_)();
  if (function.is_none()) throw UsageError(std::string(who) + ": the object that its function belongs to is gone");
  return function;
}

// Functions of any kind are called through a partial, of which, other than of a method, there are weak references.
Held::Held(const Callable& function) : holder_(py::module_::import("functools").attr("partial")(*function.function_)) {}

void Callable::wrong_answer(const char* who, const char* wanted, const py::object& answer) {
  throw UsageError(std::string(who) + ": expected the function to return " + wanted + ", got " +
                   py::type::of(answer).attr("__name__").cast<std::string>());
}

}  // namespace sextant::python
