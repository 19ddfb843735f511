// The image tower of CLIP (Radford et al. 2021) that is a vision transformer; the transformer is the text tower's too.
#include <cmath>

#include "clip/towers.h"
#include "internal/kernels/attention.h"
#include "internal/kernels/linear.h"
#include "internal/runtime/pointwise.h"

namespace sextant::networks::clip {
namespace {

/// softmax(scale q k^T + mask) v, as kernels::attention without the mask. Texts are read once, so this need not be
/// fast.
Tensor masked_attention(const Tensor& q, const Tensor& k, const Tensor& v, double scale, const Tensor& mask) {
  const at::ScalarType type = v.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  const Tensor weights = at::softmax(at::matmul(q * scale, k.transpose(2, 3)) + mask, 3, type).to(v.scalar_type());
  return at::matmul(weights, v).transpose(1, 2).flatten(2);
}

Tensor quick_gelu(const Tensor& x) { return x * pointwise::sigmoid(1.702 * x); }

class Vit : public Visual {
 public:
  Vit(const Scope& scope, const Config& config)
      : patch_(scope / "conv1", 3, config.vision_width, config.vision_patch_size,
               {.stride = config.vision_patch_size, .bias = false}),
        class_token_(scope.weight("class_embedding", {config.vision_width})),
        position_(scope.weight("positional_embedding", {tokens(config), config.vision_width})),
        norm_pre_(scope / "ln_pre", config.vision_width),
        transformer_(scope / "transformer", {config.vision_width, config.vision_layers, config.vision_heads(),
                                             config.vision_mlp_width, config.quick_gelu}),
        norm_post_(scope / "ln_post", config.vision_width),
        projection_(scope.weight("proj", {config.vision_width, config.embed_dim})) {}

  Tensor forward(const Tensor& image) const override {
    const Tensor patches = patch_(image).flatten(2).transpose(1, 2);
    const Tensor class_token = class_token_.expand({image.size(0), 1, -1});
    const Tensor x = transformer_(norm_pre_(at::cat({class_token, patches}, 1) + position_));
    return kernels::linear(norm_post_(x.select(1, 0)), projection_.t(), {});
  }

 private:
  static int64_t tokens(const Config& config) {
    const int64_t grid = config.image_resolution / config.vision_patch_size;
    return grid * grid + 1;
  }

  Conv2d patch_;
  Tensor class_token_, position_;
  LayerNorm norm_pre_;
  Transformer transformer_;
  LayerNorm norm_post_;
  Tensor projection_;
};

}  // namespace

Transformer::Transformer(const Scope& scope, const Size& size) : heads_(size.heads), quick_gelu_(size.quick_gelu) {
  const int64_t width = size.width, hidden = size.mlp_width > 0 ? size.mlp_width : 4 * width;
  for (int64_t i = 0; i < size.layers; ++i) {
    const Scope block = scope / "resblocks" / i;
    const Scope attn = block / "attn";
    Linear in;
    in.weight = attn.weight("in_proj_weight", {3 * width, width});
    in.bias = attn.weight("in_proj_bias", {3 * width});
    blocks_.push_back({LayerNorm(block / "ln_1", width), LayerNorm(block / "ln_2", width), in,
                       Linear(attn / "out_proj", width, width), Linear(block / "mlp" / "c_fc", width, hidden),
                       Linear(block / "mlp" / "c_proj", hidden, width)});
  }
}

Tensor Transformer::attend(const Block& block, const Tensor& x, const Tensor& mask) const {
  const int64_t B = x.size(0), L = x.size(1), D = x.size(2) / heads_;
  const Tensor split = block.in(x).reshape({B, L, 3, heads_, D}).permute({2, 0, 3, 1, 4});  // q, k, v [B, heads, L, D]
  const double scale = 1 / std::sqrt(D);
  return block.out(mask.defined() ? masked_attention(split[0], split[1], split[2], scale, mask)
                                  : kernels::attention(split[0], split[1], split[2], scale));
}

Tensor Transformer::operator()(const Tensor& x, const Tensor& mask) const {
  Tensor h = x;
  for (const Block& block : blocks_) {
    h = h + attend(block, block.norm1(h), mask);
    const Tensor hidden = block.fc(block.norm2(h));
    h = h + block.proj(quick_gelu_ ? quick_gelu(hidden) : pointwise::gelu(hidden));
  }
  return h;
}

std::unique_ptr<Visual> make_visual(const Scope& scope, const Config& config) {
  if (config.is_resnet()) return make_resnet(scope, config);
  return std::make_unique<Vit>(scope, config);
}

}  // namespace sextant::networks::clip
