// What the fused operations have in common.
#pragma once

#include <vector>

#include "sextant/runtime/tensor.h"

namespace sextant::kernels {

inline constexpr auto kChannelsLast = at::MemoryFormat::ChannelsLast;

/// Whether the fused loops take these tensors: float32 or bfloat16 on a CPU, no gradient wanted.
bool fuses(at::TensorList tensors);

/// Images as rows of channels; one tensor or two that stand side by side.
struct Images {
  std::vector<Tensor> parts;  ///< contiguous channels last
  int64_t batch, channels, height, width;
};

/// Throws ShapeError unless x is one or two [B, C, H, W] that differ in C only.
Images images_of(const char* caller, at::TensorList x);

/// x [B, C, H, W] contiguous as channels last.
Tensor channels_last(const Tensor& x);

/// The one tensor, or the concatenation.
Tensor joined(at::TensorList x);

Tensor empty_images(const Tensor& like, int64_t batch, int64_t channels, int64_t height, int64_t width);

template <class T>
const T* data(const Tensor& tensor) {
  return static_cast<const T*>(tensor.data_ptr());
}
template <class T>
T* mutable_data(const Tensor& tensor) {
  return static_cast<T*>(tensor.data_ptr());
}

/// Whether our own loops take x: it is on the CPU, not empty, and in a type that they are written for.
bool has_loop(const Tensor& x);

/// As torch::autograd::Function takes tensors that may be absent.
c10::optional<Tensor> if_defined(const Tensor& tensor);

/// A number of tasks not below `wanted` (unless that exceeds `most`) that keeps all threads equally busy.
int64_t split_evenly(int64_t wanted, int64_t most);

/// Memory that a thread may scribble on until its next call; it is kept for that.
void* scratch_bytes(int64_t bytes);
template <class T = float>
T* scratch(int64_t count) {
  return static_cast<T*>(scratch_bytes(count * static_cast<int64_t>(sizeof(T))));
}

/// `tensor` as float32 rows, or null where undefined; `keep` holds them.
const float* floats_or_null(const Tensor& tensor, Tensor& keep);

}  // namespace sextant::kernels
