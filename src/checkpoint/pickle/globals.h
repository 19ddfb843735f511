// The names that a pickle may mention, and what each of them means here.
//
// A name of somebody's own package stands for an inert placeholder: training scripts leave their configuration objects
// beside the weights. Names of Python itself, PyTorch and numpy are refused unless they are known: there the functions
// are that attacks call, and those that rebuild tensors, which must not get lost.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace sextant::checkpoint {

enum class Symbol : uint8_t {
  kLeaf,     ///< a type or constant that is only ever mentioned
  kOpaque,   ///< a class whose instances are kept as (class, arguments, state)
  kUnknown,  ///< a name of somebody's own package: as kOpaque, and nothing below it is looked at
  kDict,     ///< dict and its kin
  kList,
  kTuple,
  kSet,
  kSame,           ///< a call that returns its first argument: torch.Size(x), TorchScript's list builders
  kRebuildTensor,  ///< torch._utils._rebuild_tensor, _v2
  kRebuildTensorV3,
  kRebuildFromType,  ///< torch._tensor._rebuild_from_type_v2
  kLoadFromBytes,    ///< torch.storage._load_from_bytes: a whole legacy stream inside a byte string
  kPersistent,       ///< torch_utils.persistence._reconstruct_persistent_obj, of EDM and StyleGAN
  kEncode,           ///< _codecs.encode(text, 'latin1'): how protocol 2 writes bytes
  kNumpyScalar,
  kReconstructor,  ///< copyreg._reconstructor(class, base, state)
  kStorageType,    ///< torch.FloatStorage, ...
  kDtype,          ///< torch.float32, ...
};

struct Global {
  Symbol symbol = Symbol::kLeaf;
  at::ScalarType dtype = at::ScalarType::Undefined;
};

/// Whether a module is Python's own, by the name of its outermost package.
bool is_python_module(std::string_view package);

/// What "module.name" means. Throws Malformed that names it when it is refused.
Global find_global(const std::string& name);

}  // namespace sextant::checkpoint
