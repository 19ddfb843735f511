// sextant._core: the compiled part of the Python module. What users import is python/sextant/*.py.
#include "bindings.h"
#include "sextant/runtime/device.h"

namespace sextant::python {

const char* doc(const char* key) {
  const auto at = header_docs().find(key);
  if (at == header_docs().end()) throw std::logic_error(std::string("no header documents ") + key);
  return at->second;
}

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
}
