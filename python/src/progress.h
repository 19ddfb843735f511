// Progress and Ctrl-C of long work that Python started.
#pragma once

#include <optional>

#include "bindings.h"
#include "sextant/runtime/progress.h"

namespace sextant::python {

/// Tells a Python object with begin, update, end and note, or nobody. Ctrl-C asks for a stop: the work saves what is
/// finished and returns, and raise() raises KeyboardInterrupt. Exceptions of the object end the same way.
class PythonProgress : public Progress {
 public:
  explicit PythonProgress(const std::optional<py::object>& listener)
      : listener_(py::module_::import("sextant._progress").attr("listener")(listener.value_or(py::none()))) {}

  void begin(const std::string& task, double total, double done, const std::string& unit) override {
    tell("begin", task, total, done, unit);
  }
  void update(double done) override { tell("update", done); }
  void end() override { tell("end"); }
  void note(const std::string& line) override { tell("note", in_python_spelling(line)); }

  const Stop& stop() const { return stop_; }
  /// With the GIL: what was raised meanwhile, if anything.
  void raise() {
    if (raised_) throw py::error_already_set(std::move(*raised_));
  }

 private:
  template <class... Args>
  void tell(const char* what, const Args&... args) {
    const py::gil_scoped_acquire locked;
    if (raised_) return;
    try {
      if (PyErr_CheckSignals() != 0) throw py::error_already_set();
      if (!listener_.is_none()) listener_.attr(what)(args...);
    } catch (py::error_already_set& error) {
      raised_.emplace(std::move(error));
      stop_.request(SIGINT);
    }
  }

  py::object listener_;
  Stop stop_;
  std::optional<py::error_already_set> raised_;
};

}  // namespace sextant::python
