#include "pickle/globals.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <unordered_map>

#include "internal/checkpoint/file.h"

namespace sextant::checkpoint {
namespace {

struct NamedType {
  const char* dtype;
  const char* storage;
  at::ScalarType type;
};

constexpr NamedType kTypes[] = {
    {"float64", "Double", at::kDouble},
    {"double", nullptr, at::kDouble},
    {"float32", "Float", at::kFloat},
    {"float", nullptr, at::kFloat},
    {"float16", "Half", at::kHalf},
    {"half", nullptr, at::kHalf},
    {"bfloat16", "BFloat16", at::kBFloat16},
    {"int64", "Long", at::kLong},
    {"long", nullptr, at::kLong},
    {"int32", "Int", at::kInt},
    {"int", nullptr, at::kInt},
    {"int16", "Short", at::kShort},
    {"short", nullptr, at::kShort},
    {"int8", "Char", at::kChar},
    {"uint8", "Byte", at::kByte},
    {"bool", "Bool", at::kBool},
    {"complex64", "ComplexFloat", at::kComplexFloat},
    {"complex128", "ComplexDouble", at::kComplexDouble},
};

std::unordered_map<std::string, Global> make_table() {
  std::unordered_map<std::string, Global> table;
  const auto add = [&](Symbol symbol, std::initializer_list<const char*> names) {
    for (const char* name : names) table[name] = {symbol, at::ScalarType::Undefined};
  };
  add(Symbol::kDict, {"collections.OrderedDict", "collections.Counter", "collections.defaultdict", "builtins.dict",
                      "__builtin__.dict", "dnnlib.util.EasyDict", "easydict.EasyDict"});
  add(Symbol::kList, {"builtins.list", "__builtin__.list"});
  add(Symbol::kTuple, {"builtins.tuple", "__builtin__.tuple"});
  add(Symbol::kSet, {"builtins.set", "builtins.frozenset", "__builtin__.set", "__builtin__.frozenset"});
  add(Symbol::kSame,
      {"torch.Size", "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state",
       "torch.jit._pickle.build_intlist", "torch.jit._pickle.build_doublelist", "torch.jit._pickle.build_boollist",
       "torch.jit._pickle.build_tensorlist", "torch.jit._pickle.restore_type_tag"});
  add(Symbol::kRebuildTensor, {"torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2"});
  add(Symbol::kRebuildTensorV3, {"torch._utils._rebuild_tensor_v3"});
  add(Symbol::kRebuildFromType, {"torch._tensor._rebuild_from_type_v2"});
  add(Symbol::kLoadFromBytes, {"torch.storage._load_from_bytes"});
  add(Symbol::kPersistent, {"torch_utils.persistence._reconstruct_persistent_obj"});
  add(Symbol::kEncode, {"_codecs.encode"});
  add(Symbol::kNumpyScalar, {"numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar"});
  add(Symbol::kReconstructor, {"copyreg._reconstructor", "copy_reg._reconstructor"});
  add(Symbol::kOpaque, {"argparse.Namespace",
                        "types.SimpleNamespace",
                        "torch.device",
                        "torch.nn.Parameter",
                        "torch.torch_version.TorchVersion",
                        "numpy.dtype",
                        "numpy.ndarray",
                        "numpy.core.multiarray._reconstruct",
                        "numpy._core.multiarray._reconstruct",
                        "numpy.core.numeric._frombuffer",
                        "numpy._core.numeric._frombuffer",
                        "pathlib.Path",
                        "pathlib.PosixPath",
                        "pathlib.WindowsPath",
                        "pathlib.PurePosixPath",
                        "datetime.datetime",
                        "datetime.timedelta",
                        "builtins.complex",
                        "__builtin__.complex",
                        "builtins.bytearray",
                        "__builtin__.bytearray",
                        "builtins.slice",
                        "__builtin__.slice"});
  add(Symbol::kLeaf, {"builtins.object", "builtins.int", "builtins.float", "builtins.bool", "builtins.str",
                      "builtins.bytes", "__builtin__.object", "__builtin__.int", "__builtin__.long",
                      "__builtin__.float", "__builtin__.bool", "__builtin__.str", "__builtin__.unicode", "torch.Tensor",
                      "torch.strided", "torch.channels_last", "torch.contiguous_format", "torch.preserve_format"});
  for (const NamedType& type : kTypes) {
    table[std::string("torch.") + type.dtype] = {Symbol::kDtype, type.type};
    if (!type.storage) continue;
    for (const char* module : {"torch.", "torch.cuda.", "torch.storage."}) {
      table[module + std::string(type.storage) + "Storage"] = {Symbol::kStorageType, type.type};
    }
  }
  for (const char* name : {"torch.UntypedStorage", "torch.storage.UntypedStorage", "torch.storage._UntypedStorage"}) {
    table[name] = {Symbol::kStorageType, at::ScalarType::Undefined};
  }
  return table;
}

/// Packages whose classes appear in training checkpoints and models as plain records of attributes.
constexpr std::array<std::string_view, 13> kRecordPackages = {
    "__torch__.",          "torch.nn.modules.",    "torch.nn.parallel.",
    "torch.nn.parameter.", "torch.nn.functional.", "torch.nn.init.",
    "torch.optim.",        "torchvision.models.",  "timm.",
    "pytorch_lightning.",  "lightning.",           "lightning_fabric.",
    "omegaconf."};

/// Of Python's own modules: what configurations are made of. A placeholder of these does no harm and holds no tensor.
constexpr std::array<std::string_view, 22> kHarmless = {
    "argparse.",      "array.array",       "collections.", "dataclasses.", "datetime.",   "decimal.",
    "enum.",          "fractions.",        "itertools.",   "ipaddress.",   "math.",       "pathlib.",
    "random.Random",  "functools.partial", "re._compile",  "re.compile",   "statistics.", "string.Template",
    "logging.Logger", "logging.getLogger", "typing.",      "uuid."};

bool starts_with_one(std::string_view name, std::span<const std::string_view> starts) {
  return std::any_of(starts.begin(), starts.end(), [&](std::string_view start) { return name.starts_with(start); });
}

/// Whether nothing that the library can use hides behind the name: a class, and none of storages.
bool is_class_beside_tensors(std::string_view name) {
  const std::string_view last = name.substr(name.rfind('.') + 1);
  return !last.empty() && last.front() >= 'A' && last.front() <= 'Z' && !last.ends_with("Storage");
}

}  // namespace

Global find_global(const std::string& name) {
  static const std::unordered_map<std::string, Global> kTable = make_table();
  if (const auto found = kTable.find(name); found != kTable.end()) return found->second;
  if (starts_with_one(name, kRecordPackages)) return {Symbol::kOpaque};
  const std::string_view package = std::string_view(name).substr(0, name.find('.'));
  const bool known_package = package == "torch" || package == "numpy";
  if (known_package ? is_class_beside_tensors(name) : !is_python_module(package) || starts_with_one(name, kHarmless)) {
    return {Symbol::kUnknown};
  }
  throw Malformed("the pickle refers to " + shown(name) +
                  ", which is not among the names that a checkpoint may use; nothing was executed. If it is your own "
                  "model class, save its state_dict() instead");
}

}  // namespace sextant::checkpoint
