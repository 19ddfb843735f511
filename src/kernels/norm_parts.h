// What the loops of group norm are put together from.
#pragma once

#include <cstring>

#include "sextant/runtime/tensor.h"
#include "simd/table.h"

namespace sextant::kernels {

inline void loop(const Moments<float>& job) { simd().moments(job); }
inline void loop(const Moments<Bf16>& job) { simd().moments_bf16(job); }
inline void loop(const Affine<float>& job) { simd().affine(job); }
inline void loop(const Affine<Bf16>& job) { simd().affine_bf16(job); }
inline void loop(const AffineGradient<float>& job) { simd().affine_gradient(job); }
inline void loop(const AffineGradient<Bf16>& job) { simd().affine_gradient_bf16(job); }
inline void loop(const Combination<float>& job) { simd().combination(job); }
inline void loop(const Combination<Bf16>& job) { simd().combination_bf16(job); }

inline float to_float(float value) { return value; }
inline float to_float(Bf16 value) {
  const uint32_t bits = static_cast<uint32_t>(value.bits) << 16;
  float result;
  std::memcpy(&result, &bits, sizeof result);
  return result;
}

/// [B, C] or [C] numbers of one image, or 0 where the tensor is undefined.
class PerChannel {
 public:
  explicit PerChannel(const Tensor& tensor)
      : values_(tensor.defined() ? tensor.to(at::kFloat).contiguous() : tensor),
        data_(values_.defined() ? values_.data_ptr<float>() : nullptr),
        stride_(values_.defined() && values_.dim() == 2 ? values_.size(1) : 0) {}
  double at(int64_t image, int64_t channel) const { return data_ ? data_[image * stride_ + channel] : 0.0; }

 private:
  Tensor values_;
  const float* data_;
  int64_t stride_;
};

}  // namespace sextant::kernels
