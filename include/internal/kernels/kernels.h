// Fused operations: what networks spend their time on between and in convolutions.
//
// Every operation computes the same as its plain twin, a few lines of ATen that carry gradients and run on any device.
// The fused loops are taken for float32 and bfloat16 on a CPU where no gradient of a parameter is wanted (group_norm
// takes them there too); bfloat16 is storage only, sums, norms, softmaxes and exponentials are float32. A sample's
// result does not depend on the rest of its batch.
//
// Images are [B, C, H, W]; results of the fused loops lie in memory as channels last. A list of images stands for their
// concatenation along the channels, which is never made. Thread-safe. All throw ShapeError.
#pragma once

#include <memory>
#include <vector>

#include "sextant/runtime/tensor.h"

namespace sextant::kernels {

/// Whether the fused loops take these tensors: float32 or bfloat16 on a CPU, no gradient wanted.
bool fuses(at::TensorList tensors);

enum class Resampling {
  kKeep,
  kHalve,   ///< means of 2x2 pixels; an odd last row or column is dropped
  kDouble,  ///< every pixel becomes 2x2
};

/// y = resampled(f(norm(x + added) * weight + bias, modulated)), modulated(h) = h * (1 + scale) + shift,
/// f the identity or SiLU; norm takes mean and variance over each group of channels of one image.
struct GroupNorm {
  int64_t groups = 32;
  double eps = 1e-5;
  Tensor weight;  ///< [C] float32, or float64 for a float64 x
  Tensor bias;    ///< [C]
  Tensor added;   ///< [B, C], or undefined
  Tensor scale;   ///< [B, C], or undefined
  Tensor shift;   ///< [B, C]; together with scale
  bool silu = false;
  Resampling resampling = Resampling::kKeep;
};

/// In the dtype of x.
Tensor group_norm(at::TensorList x, const GroupNorm& norm);
Tensor group_norm_plain(at::TensorList x, const GroupNorm& norm);

/// softmax(scale q k^T) v for q [B, heads, T, D], k and v [B, heads, S, D], any strides. Returns [B, T, heads * D]. The
/// softmax is float32 at least.
Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v, double scale);
Tensor attention_plain(const Tensor& q, const Tensor& k, const Tensor& v, double scale);

/// x resampled.
Tensor resample(const Tensor& x, Resampling resampling);

/// x w^T + bias over the last dimension of x, w [out, in], bias [out] or undefined.
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias);

/// A two-dimensional convolution whose weights are laid out for the machine: Winograd's F(2x2, 3x3) or panels of a
/// matrix product in float32, oneDNN's own layout otherwise.
class Convolution {
 public:
  Convolution() = default;
  /// weight [out, in, k, k], or [out, in, 1] for a product at every pixel; bias [out] or undefined. Shares both; zero
  /// padding on all sides.
  Convolution(Tensor weight, Tensor bias, int64_t stride, int64_t padding);

  /// Lays the weights out for images of about this size, given as one image or as `parts` with so many channels; with
  /// `gradients` for the way back too, which takes as much memory again. To be called again after the weights were
  /// replaced or converted; weights changed in place are noticed, and used as they are.
  void lay_out(int64_t height, int64_t width, std::vector<int64_t> parts = {}, bool gradients = false);

  /// The convolution of x, plus `residual` where defined. Differentiable in both, and in the weights.
  Tensor operator()(at::TensorList x, const Tensor& residual = {}) const;
  Tensor plain(at::TensorList x, const Tensor& residual = {}) const;

  struct Layout;

 private:
  Tensor filters() const;
  const Layout* layout_for(at::TensorList x, const Tensor& residual) const;

  Tensor weight_;
  Tensor bias_;
  int64_t stride_ = 1;
  int64_t padding_ = 0;
  std::shared_ptr<const Layout> layout_;
};

}  // namespace sextant::kernels
