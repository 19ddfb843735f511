// Two-dimensional convolutions, images [B, C, H, W].
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "sextant/runtime/tensor.h"

namespace sextant::kernels {

struct ConvOptions {
  int64_t stride = 1;
  int64_t padding = 0;
  int64_t dilation = 1;
  int64_t groups = 1;
  int64_t padding_width = -1;  ///< padding left and right where it is not `padding`

  int64_t columns() const { return padding_width < 0 ? padding : padding_width; }
};

/// The weights of a convolution's way back, made at the first gradient and kept until the weights change, as large as
/// they are. Copies share them; safe to call from several threads.
class TurnedWeight {
 public:
  TurnedWeight();

  /// weight [O, C, k, k], frozen: [C, O, k, k], each kernel turned round.
  Tensor operator()(const Tensor& weight) const;

 private:
  struct Kept;
  std::shared_ptr<Kept> kept_;
};

/// at::conv2d: x [B, C, H, W], weight [O, C / groups, k, k], bias [O] or undefined; any dtype and device.
/// Differentiable in x, and in the weights where they ask for it. A layer brings the `turned` weights that it keeps.
///
/// With frozen float32 weights on a CPU it always runs in oneDNN, forward and backward. at::conv2d leaves small batches
/// (and, with one thread, every 1x1 convolution) to a plain BLAS product, which is thirty times slower where the BLAS
/// is the reference one. Fastest when x and weight are channels_last. An image's result depends neither on its batch
/// nor on the number of threads. bfloat16 is computed in float32 where oneDNN lacks it (x86 without AVX-512).
Tensor frozen_conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const ConvOptions& options,
                     const TurnedWeight& turned = {});

/// act(frozen_conv2d(...) + residual), with act and `beta` of activation.h; residual of the result's shape, or
/// undefined.
Tensor activated_conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const ConvOptions& options,
                        const TurnedWeight& turned, double beta, const Tensor& residual);

/// A convolution whose weights are laid out for the machine: Winograd's F(2x2, 3x3) or panels of a matrix product in
/// float32, oneDNN's own layout otherwise. Fused as in norm.h: a list of images stands for their concatenation along
/// the channels, and the addition after the convolution is part of it.
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

  /// The convolution and, where adding the bias would be a pass of its own, that bias [out], which the norm behind it
  /// takes as `added`; undefined where it is in.
  std::pair<Tensor, Tensor> without_bias(at::TensorList x) const;

  struct Layout;

 private:
  Tensor filters() const;
  const Layout* layout_for(at::TensorList x, const Tensor& residual) const;
  bool suits_card(at::TensorList x) const;
  /// A product at every pixel adds up the parts of x. And the bias that is not in yet.
  std::pair<Tensor, Tensor> on_card(at::TensorList x, bool with_bias) const;
  static Tensor finished(Tensor y, const Tensor& bias, const Tensor& residual);

  Tensor weight_;
  Tensor bias_;
  int64_t stride_ = 1;
  int64_t padding_ = 0;
  std::shared_ptr<const Layout> layout_;
  TurnedWeight turned_;
};

}  // namespace sextant::kernels
