// What our CUDA kernels have in common. Empty in a build without them.
#pragma once

#if defined(SEXTANT_CUDA)
#include <ATen/core/grad_mode.h>
#include <c10/core/DeviceGuard.h>
#include <torch/csrc/autograd/custom_function.h>

#include <string>

#include "cuda/number.h"
#include "images.h"
#include "internal/runtime/libtorch.h"
#include "sextant/runtime/error.h"
#include "sextant/runtime/tensor.h"

namespace sextant::kernels {

inline bool is_card_number(at::ScalarType type) {
  return type == at::kFloat || type == at::kBFloat16 || type == at::kHalf;
}

inline cuda::Number number_of(at::ScalarType type) {
  return type == at::kBFloat16 ? cuda::Number::kBFloat16
         : type == at::kHalf   ? cuda::Number::kHalf
                               : cuda::Number::kFloat;
}

inline void* pointer_of(const Tensor& x) { return x.defined() ? x.data_ptr() : nullptr; }

inline bool wants_gradient(const Tensor& x) { return x.defined() && at::GradMode::is_enabled() && x.requires_grad(); }

/// `error`: cudaError_t.
inline void check_launch(const char* what, int error) {
  if (error != 0)
    throw Error(std::string(what) + ": the card refused its kernels, CUDA error " + std::to_string(error));
}

}  // namespace sextant::kernels
#endif
