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

void Callable::wrong_answer(const char* who, const char* wanted, const py::object& answer) {
  throw UsageError(std::string(who) + ": expected the function to return " + wanted + ", got " +
                   py::type::of(answer).attr("__name__").cast<std::string>());
}

}  // namespace sextant::python
