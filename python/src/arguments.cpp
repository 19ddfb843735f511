// What the module's functions make of arguments that pybind11 does not take: arrays of numpy become tensors, numbers
// come out of arrays and tensors, devices become their names, and what is left is refused in one line, where pybind11
// alone writes several.
#include <torch/csrc/autograd/python_variable.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <unordered_map>

#include "bindings.h"

namespace sextant::python {
namespace {

using py::detail::function_call;
using py::detail::function_record;

using Implementation = py::handle (*)(function_call&);

/// pybind11's implementations, which refuse_in_one_line() has replaced. Written while the module is imported only.
std::unordered_map<const function_record*, Implementation>& implementations() {
  static auto* const all = new std::unordered_map<const function_record*, Implementation>;
  return *all;
}

/// "f: torch.Tensor" of the signature "(f: torch.Tensor, y: torch.Tensor) -> float": what follows the name.
std::string type_of(const function_record& function, std::size_t index) {
  const std::string signature = function.signature;
  const auto place = [&](std::size_t i) { return signature.find(std::string(function.args[i].name) + ": "); };
  const std::size_t begin = place(index);
  if (begin == std::string::npos) return "";
  const std::size_t end = index + 1 < function.args.size() ? place(index + 1) : signature.rfind(") -> ");
  const std::string type = signature.substr(begin, end == std::string::npos ? end : end - begin);
  const std::size_t colon = type.find(": ") + 2;
  return type.substr(colon, type.find(" = ", colon) - colon);
}

/// A type of a signature, as far as it matters here.
struct Wanted {
  std::string words;                     ///< as a message names it
  std::function<bool(py::handle)> fits;  ///< of one value
  bool many = false;                     ///< a sequence of them
  enum { kOther, kTensor, kNumber } kind = kOther;
};

bool is_text(py::handle value) { return PyUnicode_Check(value.ptr()) != 0; }
bool is_tensor(py::handle value) { return THPVariable_Check(value.ptr()); }
bool is_whole(py::handle value) { return PyIndex_Check(value.ptr()) != 0 && !is_tensor(value); }
bool is_number(py::handle value) { return PyFloat_Check(value.ptr()) != 0 || is_whole(value); }

constexpr const char* kWholeNumber = "a whole number";
constexpr const char* kText = "a text";

/// One of this module's classes.
Wanted instance_of(const std::string& name) {
  return {(std::strchr("AEIOU", name[0]) != nullptr ? "an " : "a ") + name, [name](py::handle value) {
            for (const py::handle base : py::type::of(value).attr("__mro__")) {
              if (base.attr("__name__").cast<std::string>() == name) return true;
            }
            return false;
          }};
}

/// What pybind11 2 and 3 write for the types of this module's functions; nothing for what has no telling test.
std::optional<Wanted> wanted(const std::string& type) {
  const auto has = [&](const char* word) { return type.find(word) != std::string::npos; };
  const bool many = has("Sequence[") || has("List[") || has("list[");
  if (has("Callable")) return Wanted{"a function", [](py::handle value) { return PyCallable_Check(value.ptr()) != 0; }};
  if (has("Dict[") || has("dict[") || has("Tuple[") || has("tuple[")) return std::nullopt;
  if (has("Tensor")) return Wanted{"a tensor or an array of numpy", &is_tensor, false, Wanted::kTensor};
  if (const std::size_t own = type.find("sextant."); own != std::string::npos) {
    const std::string whole =
        type.substr(own, type.find_first_not_of("._abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", own) - own);
    return instance_of(whole.substr(whole.rfind('.') + 1));
  }
  if (has("PathLike")) {
    return Wanted{"a path", [](py::handle value) { return is_text(value) || py::hasattr(value, "__fspath__"); }};
  }
  if (has("bool")) return Wanted{"True or False", [](py::handle value) { return PyBool_Check(value.ptr()) != 0; }};
  if (has("float") || has("Float")) return Wanted{many ? "numbers" : "a number", &is_number, many, Wanted::kNumber};
  if (has("int") || has("Int")) return Wanted{many ? "whole numbers" : kWholeNumber, &is_whole, many, Wanted::kNumber};
  if (has("str")) return Wanted{many ? "texts" : kText, &is_text, many};
  return std::nullopt;
}

bool may_be_none(const std::string& type) {
  return type.find("Optional[") != std::string::npos || type.find("None") != std::string::npos;
}

bool fits(const Wanted& type, py::handle value) {
  if (!type.many) return type.fits(value);
  if (PySequence_Check(value.ptr()) == 0 || is_text(value) || is_tensor(value)) return false;
  for (const py::handle item : value) {
    if (!type.fits(item)) return false;
  }
  return true;
}

/// An array of numpy as a tensor on its memory, or on a copy of it where PyTorch cannot read or write it in place.
py::object tensor_of(const std::string& who, py::handle array) {
  try {
    const py::object readable = py::module_::import("numpy").attr("require")(array, py::arg("requirements") = "CW");
    return py::module_::import("torch").attr("from_numpy")(readable);
  } catch (const py::error_already_set& error) {
    if (!error.matches(PyExc_TypeError) && !error.matches(PyExc_ValueError)) throw;
    throw UsageError(who + ": PyTorch has no numbers of numpy's type " + std::string(py::str(array.attr("dtype"))));
  }
}

/// A value in a message.
std::string shown(py::handle value) {
  if (value.is_none() || PyLong_Check(value.ptr()) || PyFloat_Check(value.ptr()) || is_text(value)) {
    try {
      const std::string text = py::repr(value);
      return text.size() <= 60 && text.find('\n') == std::string::npos ? text : text.substr(0, 57) + "...";
    } catch (const py::error_already_set&) {  // Python writes no whole number of more than 4300 digits
    }
  }
  return py::type::of(value).attr("__name__").cast<std::string>();
}

/// "log_prob", "Denoiser.predict"; of a class that is called its own name.
std::string name_of(const function_record& function) {
  const std::string name = function.name;
  if (!function.is_method) return name;
  const std::string owner = function.scope.attr("__name__").cast<std::string>();
  return name == "__init__" || name == "__call__" ? owner : owner + "." + name;
}

/// What stands in for an argument that does not fit; nothing where there is no such thing.
py::object stand_in(const std::string& who, const Wanted& want, py::handle given) {
  if (want.kind == Wanted::kTensor && py::isinstance(given, py::module_::import("numpy").attr("ndarray"))) {
    return tensor_of(who, given);
  }
  if (want.kind == Wanted::kNumber && py::hasattr(given, "tolist")) {
    try {
      return given.attr("tolist")();
    } catch (const py::error_already_set& error) {  // a tensor without numbers: sparse, or on the meta device
      if (!error.matches(PyExc_Exception)) throw;
      return {};
    }
  }
  if (want.words == kText && py::isinstance(given, py::module_::import("torch").attr("device"))) return py::str(given);
  return {};
}

[[noreturn]] void refuse(const function_call& call, std::size_t index, const Wanted& want) {
  const function_record& function = call.func;
  throw UsageError(name_of(function) + ": " + function.args[index].name + ": expected " + want.words + ", got " +
                   shown(call.args[index]));
}

/// A number that pybind11 would cut to a whole one.
bool would_be_cut(py::handle value) {
  if (is_tensor(value)) {
    const at::Tensor& tensor = THPVariable_Unpack(value.ptr());
    return tensor.is_floating_point() && tensor.numel() == 1;
  }
  return PyNumber_Check(value.ptr()) != 0 && PyIndex_Check(value.ptr()) == 0 && PyFloat_Check(value.ptr()) == 0;
}

/// Why no function here can read a tensor; null where it can.
const char* unreadable(py::handle value) {
  if (!is_tensor(value)) return nullptr;
  const at::Tensor& tensor = THPVariable_Unpack(value.ptr());
  if (tensor.is_meta()) return "one on the meta device, which has no numbers";
  if (tensor.is_quantized()) return "a quantized one; dequantize() it";
  return tensor.layout() == at::kStrided ? nullptr : "a sparse one; to_dense() it";
}

/// The implementation's answer. None for an object of this module passes pybind11's conversion as a null pointer and is
/// refused where a reference is made of it, which is no way to call the function either.
py::handle answer_of(Implementation implementation, function_call& call) {
  try {
    return implementation(call);
  } catch (const py::reference_cast_error&) {
    return PYBIND11_TRY_NEXT_OVERLOAD;
  }
}

/// The implementation, and where pybind11 finds no way to call it, once more with what stands in for the arguments that
/// do not fit.
py::handle call_or_refuse(function_call& call) {
  const function_record& function = call.func;
  const std::size_t first = function.is_method ? 1 : 0;  // self, which is no object yet where one is made
  const std::size_t end = std::min<std::size_t>(function.args.size(), call.args.size());
  for (std::size_t i = first; i < end; ++i) {
    const char* const why = unreadable(call.args[i]);
    if (why == nullptr && !would_be_cut(call.args[i])) continue;
    const std::optional<Wanted> want = wanted(type_of(function, i));
    if (want && want->words == kWholeNumber) refuse(call, i, *want);
    if (why != nullptr && want && want->kind == Wanted::kTensor) {
      throw UsageError(name_of(function) + ": " + function.args[i].name + ": expected a dense tensor, got " + why);
    }
  }
  const Implementation implementation = implementations().at(&function);
  const py::handle answer = answer_of(implementation, call);
  if (answer.ptr() != PYBIND11_TRY_NEXT_OVERLOAD) return answer;

  const std::string who = name_of(function);
  if (function.is_method && !function.is_constructor && !py::isinstance(call.args[0], function.scope)) {
    throw UsageError(who + ": expected a " + function.scope.attr("__name__").cast<std::string>() + ", got " +
                     shown(call.args[0]));
  }
  std::vector<py::object> made;  // until the call is over
  for (std::size_t i = first; i < end; ++i) {
    const std::string type = type_of(function, i);
    const std::optional<Wanted> want = wanted(type);
    if (!want || fits(*want, call.args[i]) || (call.args[i].is_none() && may_be_none(type))) continue;
    made.push_back(stand_in(who, *want, call.args[i]));
    if (!made.back() || !fits(*want, made.back())) refuse(call, i, *want);
    call.args[i] = made.back();
  }
  const py::handle second = answer_of(implementation, call);
  if (second.ptr() != PYBIND11_TRY_NEXT_OVERLOAD) return second;
  std::string given;
  for (std::size_t i = first; i < end; ++i) {
    if (call.args[i].is(function.args[i].value)) continue;  // the default
    given += (given.empty() ? "" : ", ") + std::string(function.args[i].name) + " = " + shown(call.args[i]);
  }
  throw UsageError(who + ": one of these is out of range or of the wrong kind: " + given);
}

/// The record of a function as a module or class holds it; none of other things and of overloaded ones.
function_record* record_of(py::handle held) {
  const py::object inside = py::isinstance<py::staticmethod>(held) ? py::object(held.attr("__func__"))
                                                                   : py::reinterpret_borrow<py::object>(held);
  const py::handle function = py::detail::get_function(inside);
  if (!function || PyCFunction_Check(function.ptr()) == 0) return nullptr;
  PyObject* const self = PyCFunction_GET_SELF(function.ptr());
#if PYBIND11_VERSION_MAJOR >= 3
  function_record* const record = self ? py::detail::function_record_ptr_from_PyObject(self) : nullptr;
#else
  function_record* const record =
      self && PyCapsule_CheckExact(self) != 0
          ? static_cast<function_record*>(PyCapsule_GetPointer(self, PyCapsule_GetName(self)))
          : nullptr;
#endif
  return record && !record->next && !record->is_operator ? record : nullptr;
}

}  // namespace

void refuse_in_one_line(py::handle scope) {
  const auto is_own_class = [](py::handle value) {
    return PyType_Check(value.ptr()) != 0 &&
           py::detail::get_type_info(reinterpret_cast<PyTypeObject*>(value.ptr())) != nullptr;
  };
  for (const auto& [name, value] : py::dict(scope.attr("__dict__"))) {
    if (py::isinstance<py::module_>(value) || is_own_class(value)) {
      refuse_in_one_line(value);
    } else if (function_record* const record = record_of(value)) {
      if (implementations().emplace(record, record->impl).second) record->impl = &call_or_refuse;
    }
  }
}

}  // namespace sextant::python
