// The two kinds of image tower of CLIP, and the transformer that ViT and text share.
#pragma once

#include <memory>
#include <vector>

#include "config_reader.h"
#include "layers.h"

namespace sextant::networks::clip {

struct Config {
  int64_t embed_dim = 0;
  int64_t image_resolution = 0;
  std::vector<int64_t> resnet_layers;  ///< four numbers: a ResNet; empty: a ViT
  int64_t vision_layers = 0;           ///< of the ViT
  int64_t vision_width = 0;
  int64_t vision_patch_size = 0;
  int64_t context_length = 77;
  int64_t vocab_size = 49408;
  int64_t transformer_width = 0;
  int64_t transformer_heads = 0;
  int64_t transformer_layers = 0;
  double softplus_beta = 0;      ///< of the ResNet's ReLUs; 0 keeps them
  bool quick_gelu = true;        ///< x sigmoid(1.702 x), OpenAI's; false: GELU
  int64_t own_vision_heads = 0;  ///< 0: of 64 channels
  int64_t vision_mlp_width = 0;  ///< of the ViT's perceptrons; 0: four times its width

  bool is_resnet() const { return !resnet_layers.empty(); }
  int64_t vision_feature_width() const { return is_resnet() ? 32 * vision_width : vision_width; }
  int64_t vision_heads() const { return own_vision_heads > 0 ? own_vision_heads : vision_feature_width() / 64; }
};

/// Pre-norm residual blocks of attention and a perceptron.
class Transformer {
 public:
  struct Size {
    int64_t width = 0, layers = 0, heads = 1;
    int64_t mlp_width = 0;  ///< 0: four times the width
    bool quick_gelu = true;
  };

  Transformer() = default;
  Transformer(const Scope& scope, const Size& size);
  /// x [B, L, width]; mask [L, L] or undefined
  Tensor operator()(const Tensor& x, const Tensor& mask = {}) const;

 private:
  struct Block {
    LayerNorm norm1, norm2;
    Linear in, out, fc, proj;
  };

  Tensor attend(const Block& block, const Tensor& x, const Tensor& mask) const;

  int64_t heads_ = 1;
  bool quick_gelu_ = true;
  std::vector<Block> blocks_;
};

class Visual {
 public:
  virtual ~Visual() = default;
  /// image [B, 3, R, R] in the compute dtype; returns [B, embed_dim]
  virtual Tensor forward(const Tensor& image) const = 0;
};

std::unique_ptr<Visual> make_visual(const Scope& scope, const Config& config);
std::unique_ptr<Visual> make_resnet(const Scope& scope, const Config& config);

}  // namespace sextant::networks::clip
