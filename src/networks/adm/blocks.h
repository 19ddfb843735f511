// The blocks that guided-diffusion's networks are made of. Images flow as channels last; a list of images stands for
// their concatenation along the channels.
#pragma once

#include <variant>
#include <vector>

#include "adm/config.h"
#include "internal/kernels/convolution.h"
#include "internal/kernels/linear.h"
#include "internal/kernels/norm.h"
#include "internal/kernels/resample.h"
#include "layers.h"
#include "sextant/networks/network.h"

namespace sextant::networks::adm {

/// weight [out, in] and bias, at least float32 in every network: embeddings of time and class.
struct PreciseLinear {
  PreciseLinear(const Scope& scope, int64_t in, int64_t out)
      : weight(scope.norm("weight", {out, in})), bias(scope.norm("bias", {out})) {}
  Tensor operator()(const Tensor& x) const { return kernels::linear(x, weight, bias); }

  Tensor weight;
  Tensor bias;
};

/// The embedding of timesteps, cosines before sines: [cos(t w_k), sin(t w_k)], w_k = 10000^(-k / (width / 2)); a last 0
/// where `width` is odd. t [B] of any type; returns [B, width] in `type`.
Tensor timestep_embedding(const Tensor& t, int64_t width, at::ScalarType type);

/// The MLP over the sinusoids, plus the embedding of the class.
class Embedding {
 public:
  Embedding(const Scope& scope, const Config& config);
  int64_t width() const { return 4 * model_channels_; }
  /// t [B], y [B] or undefined. Returns SiLU of the embedding, as every block takes it: [B, width] in float32 at least.
  Tensor operator()(const Tensor& t, const Tensor& y) const;

 private:
  int64_t model_channels_;
  PreciseLinear first_;
  PreciseLinear second_;
  Tensor classes_;  ///< [num_classes, width], or undefined
};

/// Group norm with 32 groups.
kernels::GroupNorm norm32(const Scope& scope, int64_t channels, bool silu);

/// A convolution of k x k filters that keeps the size at stride 1.
kernels::Convolution convolution(const Scope& scope, int64_t in, int64_t out, int64_t kernel, int64_t stride = 1);
/// weight [out, in, 1], a product at every pixel.
kernels::Convolution pointwise(const Scope& scope, int64_t in, int64_t out);

/// What a layer will be given, for which it lays out its weights.
struct Input {
  int64_t size;                ///< height and width
  std::vector<int64_t> parts;  ///< channels of each image; empty for a single one
  bool gradients = false;      ///< whether gradients will be wanted
};

/// Two convolutions that see the embedding, around them a skip; may resample on the way.
class ResBlock {
 public:
  ResBlock(const Scope& scope, const Config& config, int64_t in, int64_t out,
           kernels::Resampling resampling = kernels::Resampling::kKeep);
  void lay_out(const Input& input);
  Tensor operator()(at::TensorList x, const Tensor& embedding) const;

 private:
  bool scale_shift_;
  kernels::Resampling resampling_;
  kernels::GroupNorm in_norm_;
  kernels::Convolution in_convolution_;
  PreciseLinear from_embedding_;
  kernels::GroupNorm out_norm_;
  Dropout dropout_;
  kernels::Convolution out_convolution_;
  bool has_skip_convolution_;
  kernels::Convolution skip_convolution_;
};

/// Every pixel looks at every other.
class AttentionBlock {
 public:
  AttentionBlock(const Scope& scope, const Config& config, int64_t channels, int64_t heads);
  void lay_out(const Input& input);
  Tensor operator()(at::TensorList x, const Tensor& embedding) const;

 private:
  int64_t heads_;
  bool new_order_;
  kernels::GroupNorm norm_;
  kernels::Convolution qkv_;
  kernels::Convolution out_;
};

/// Softmax attention among tokens, qkv [B, T, 3 C]. In the new order the channels of qkv are (q, k, v) x heads, in the
/// old one heads x (q, k, v). Returns [B, T, C].
Tensor attend(const Tensor& qkv, int64_t heads, bool new_order);

/// Halves or doubles the image, with a convolution where there is one.
class Resize {
 public:
  Resize(const Scope& scope, const Config& config, int64_t channels, kernels::Resampling resampling);
  void lay_out(const Input& input);
  Tensor operator()(at::TensorList x, const Tensor& embedding) const;

 private:
  kernels::Resampling resampling_;
  bool has_convolution_;
  kernels::Convolution convolution_;
};

/// The first convolution of a network.
class Stem {
 public:
  Stem(const Scope& scope, int64_t in, int64_t out) : convolution_(convolution(scope, in, out, 3)) {}
  void lay_out(const Input& input) { convolution_.lay_out(input.size, input.size, input.parts, input.gradients); }
  Tensor operator()(at::TensorList x, const Tensor&) const { return convolution_(x); }

 private:
  kernels::Convolution convolution_;
};

/// Layers in a row, the children "0", "1", ... of a block; only the first may see more than one image.
class Block {
 public:
  using Layer = std::variant<Stem, ResBlock, AttentionBlock, Resize>;
  void add(Layer layer) { layers_.push_back(std::move(layer)); }
  int64_t size() const { return static_cast<int64_t>(layers_.size()); }
  void lay_out(const Input& input);
  Tensor operator()(at::TensorList x, const Tensor& embedding) const;

 private:
  std::vector<Layer> layers_;
};

/// input_blocks and middle_block, which both networks share.
struct Encoder {
  Encoder(const Scope& scope, const Config& config);
  void lay_out(bool gradients);

  std::vector<Block> input_blocks;
  std::vector<int64_t> channels;      ///< of each input block's result
  std::vector<int64_t> downsampling;  ///< of each input block's input
  Block middle_block;

 private:
  Config config_;
};

}  // namespace sextant::networks::adm
