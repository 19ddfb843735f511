// sextant._core: the compiled part of the Python module. What users import is python/sextant/*.py.
#include "bindings.h"
#include "sextant/runtime/device.h"

namespace sextant::python {

const char* doc(const char* key) {
  const auto at = header_docs().find(key);
  if (at == header_docs().end()) throw std::logic_error(std::string("no header documents ") + key);
  return at->second;
}

namespace {

/// pybind11 gives an instance that __new__ alone made (Class.__new__(Class)) memory that nobody wrote when it is read.
void* refuse_the_empty(std::size_t) {
  throw py::type_error("the object is empty: it was made by __new__ alone; make it by calling its class");
}

/// For every class of the module and its submodules.
void read_no_empty_instances(const py::module_& module) {
  for (const auto& [name, value] : module.attr("__dict__").cast<py::dict>()) {
    if (py::isinstance<py::module_>(value)) {
      read_no_empty_instances(py::reinterpret_borrow<py::module_>(value));
    } else if (PyType_Check(value.ptr())) {
      py::detail::type_info* bound = py::detail::get_type_info(reinterpret_cast<PyTypeObject*>(value.ptr()));
      if (bound != nullptr) bound->operator_new = &refuse_the_empty;
    }
  }
}

}  // namespace
}  // namespace sextant::python

PYBIND11_MODULE(_core, core) {
  using namespace sextant;
  using namespace sextant::python;
  keep_freed_memory();
  core.def("version", &version);
  core.def("libtorch_version", &libtorch_version);
  bind_errors(core);
  bind_guidance(core);
  bind_guide(core);
  bind_diffusion(core);
  bind_samplers(core);
  bind_checkpoints(core);
  bind_models(core);
  bind_calibration(core);
  bind_metrics(core);
  bind_evaluation(core);
  bind_report(core);
  bind_runs(core);
  read_no_empty_instances(core);
  refuse_in_one_line(core);
}
