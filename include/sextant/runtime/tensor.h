// The tensor type of every interface: libtorch's.
#pragma once

#include <ATen/ATen.h>

namespace sextant {

using at::Tensor;

}  // namespace sextant
