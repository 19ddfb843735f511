// oneDNN convolutions with weights laid out once instead of at every call, through the operator libtorch has for that.
#pragma once

#include <memory>
#include <vector>

#include "sextant/runtime/tensor.h"

namespace sextant::kernels {

class PackedConvolution {
 public:
  /// False where this libtorch has no such operator or refuses the shapes.
  bool ready() const { return context_ != nullptr; }
  /// x [B, C, H, W] in the weights' dtype; the result keeps its memory format.
  Tensor operator()(const Tensor& x) const;

 private:
  friend PackedConvolution pack(const Tensor& weight, const Tensor& bias, int64_t stride, int64_t padding,
                                std::vector<int64_t> input_size);
  struct Context;
  std::shared_ptr<const Context> context_;
};

/// Packs weight [out, in, k, k] for inputs of about `input_size`.
PackedConvolution pack(const Tensor& weight, const Tensor& bias, int64_t stride, int64_t padding,
                       std::vector<int64_t> input_size);

}  // namespace sextant::kernels
