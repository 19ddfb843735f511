// The library's errors as Python's, and libtorch's in one line.
#include <c10/util/Exception.h>

#include "bindings.h"
#include "sextant/runtime/error.h"

namespace sextant::python {
namespace {

/// Of libtorch's message the first line: the rest are stack frames.
std::string first_line(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(" \n");
  return begin == std::string::npos ? "no message" : text.substr(begin, text.find('\n', begin) - begin);
}

template <class Kind, class Base>
py::object error_class(py::module_& core, const char* name, Base base) {
  return py::register_exception<Kind>(core, name, base.ptr());
}

}  // namespace

void bind_errors(py::module_& core) {
  // The last one registered is asked first.
  static py::object base = error_class<Error>(core, "Error", py::handle(PyExc_RuntimeError));
  base.attr("__doc__") = "Something failed: a file, a device, the numbers. Every error of sextant is one.";
  base.attr("exit_code") = 1;
  error_class<UsageError>(core, "UsageError", base).attr("exit_code") = 2;
  error_class<ShapeError>(core, "ShapeError", base);
  error_class<CheckpointError>(core, "CheckpointError", base);
  error_class<DataError>(core, "DataError", base);
  error_class<NumericError>(core, "NumericError", base);
  py::register_exception_translator([](std::exception_ptr thrown) {
    if (!thrown) return;
    try {
      std::rethrow_exception(thrown);
    } catch (const c10::Error& error) {
      PyErr_SetString(base.ptr(), ("PyTorch: " + first_line(error.what_without_backtrace())).c_str());
    } catch (const std::filesystem::filesystem_error& error) {
      PyErr_SetString(base.ptr(), ("cannot use " + error.path1().string() + ": " + error.code().message()).c_str());
    } catch (const nlohmann::json::exception& error) {
      PyErr_SetString(base.ptr(), (std::string("settings that cannot be read: ") + error.what()).c_str());
    }
  });
  const char* const names[] = {"UsageError", "ShapeError", "CheckpointError", "DataError", "NumericError"};
  for (const char* name : names) core.attr(name).attr("__doc__") = doc((std::string("runtime.") + name).c_str());
}

}  // namespace sextant::python
