// The vision transformer (Dosovitskiy et al. 2021), as torchvision computes it.
#include "torchvision/vit.h"

#include <c10/util/StringUtil.h>

#include "config_reader.h"
#include "imagenet.h"
#include "internal/kernels/attention.h"
#include "internal/networks/family.h"
#include "internal/runtime/pointwise.h"
#include "internal/runtime/text.h"
#include "logits.h"

namespace sextant::networks::torchvision {
namespace {

constexpr double kVitEps = 1e-6;

}  // namespace

VitConfig vit_config(const nlohmann::json& model) {
  ConfigReader read("vit", model);
  VitConfig c;
  c.image_size = read.required<int64_t>("image_size");
  c.patch_size = read.required<int64_t>("patch_size");
  c.num_layers = read.required<int64_t>("num_layers");
  c.num_heads = read.required<int64_t>("num_heads");
  c.hidden_dim = read.required<int64_t>("hidden_dim");
  c.mlp_dim = read.required<int64_t>("mlp_dim");
  c.num_classes = read.optional("num_classes", c.num_classes);
  c.representation_size = read.optional("representation_size", c.representation_size);
  for (const char* training_only : {"dropout", "attention_dropout"}) read.ignore(training_only);
  read.finish();
  for (const int64_t size :
       {c.image_size, c.patch_size, c.num_layers, c.num_heads, c.hidden_dim, c.mlp_dim, c.num_classes}) {
    if (size < 1) read.fail("sizes must be positive");
  }
  if (c.image_size % c.patch_size != 0) read.fail("image_size must be a multiple of patch_size");
  if (c.hidden_dim % c.num_heads != 0) read.fail("hidden_dim must be a multiple of num_heads");
  return c;
}

Vit::Vit(const VitConfig& config) : config_(config) {
  const Scope root(parameters_);
  const int64_t width = config.hidden_dim;
  const int64_t side = config.image_size / config.patch_size;
  class_token_ = root.weight("class_token", {1, 1, width});
  patches_ = Conv2d(root / "conv_proj", 3, width, config.patch_size, {.stride = config.patch_size, .padding = 0});
  const Scope encoder = root / "encoder";
  positions_ = encoder.weight("pos_embedding", {1, side * side + 1, width});
  for (int64_t i = 0; i < config.num_layers; ++i) {
    const Scope scope = encoder / "layers" / ("encoder_layer_" + std::to_string(i));
    Layer layer;
    layer.norm1 = LayerNorm(scope / "ln_1", width, kVitEps);
    const Scope attention = scope / "self_attention";
    layer.qkv.weight = attention.weight("in_proj_weight", {3 * width, width});
    layer.qkv.bias = attention.weight("in_proj_bias", {3 * width});
    layer.out = Linear(attention / "out_proj", width, width);
    layer.norm2 = LayerNorm(scope / "ln_2", width, kVitEps);
    layer.fc1 = Linear(scope / "mlp" / 0, width, config.mlp_dim);
    layer.fc2 = Linear(scope / "mlp" / 3, config.mlp_dim, width);
    layers_.push_back(layer);
  }
  norm_ = LayerNorm(encoder / "ln", width, kVitEps);
  const Scope heads = root / "heads";
  if (config.representation_size > 0) pre_logits_ = Linear(heads / "pre_logits", width, config.representation_size);
  head_ =
      Linear(heads / "head", config.representation_size > 0 ? config.representation_size : width, config.num_classes);
}

Tensor Vit::attend(const Layer& layer, const Tensor& x) const {
  const int64_t width = config_.hidden_dim / config_.num_heads;
  const Tensor qkv = layer.qkv(x).view({x.size(0), x.size(1), 3, config_.num_heads, width}).permute({2, 0, 3, 1, 4});
  return layer.out(kernels::attention(qkv[0], qkv[1], qkv[2], 1 / std::sqrt(static_cast<double>(width))));
}

Tensor Vit::forward(const Tensor& image, const Tensor&) const { return trace(image, {}); }

Tensor Vit::trace(const Tensor& image, const LayerSeen& seen) const {
  check_images("vit", image, 3, config_.image_size);
  const Tensor patches = patches_(image.to(compute_type())).flatten(2).transpose(1, 2);
  Tensor x = at::cat({class_token_.expand({image.size(0), 1, config_.hidden_dim}), patches}, 1) + positions_;
  for (const Layer& layer : layers_) {
    x = x + attend(layer, layer.norm1(x));
    x = x + layer.fc2(pointwise::gelu(layer.fc1(layer.norm2(x))));
  }
  Tensor y = norm_(x.select(1, 0));
  if (seen) seen("encoder", y);
  if (config_.representation_size > 0) y = pointwise::hyperbolic_tangent(pre_logits_(y));
  return as_logits(classified(head_, y, "", "heads", seen));
}

checkpoint::StateDict Vit::renamed(const checkpoint::StateDict& weights) const {
  checkpoint::StateDict result;
  for (const auto& [name, tensor] : weights) {
    result.set(replaced(replaced(name, ".mlp.linear_1.", ".mlp.0."), ".mlp.linear_2.", ".mlp.3."), tensor);
  }
  return result;
}

namespace {

std::vector<Preset> vit_presets() {
  const auto preset = [](const char* name, int64_t patch, int64_t layers, int64_t heads, int64_t hidden, int64_t mlp) {
    return imagenet_preset(name, "vit", 224,
                           {{"image_size", 224},
                            {"patch_size", patch},
                            {"num_layers", layers},
                            {"num_heads", heads},
                            {"hidden_dim", hidden},
                            {"mlp_dim", mlp}});
  };
  return {preset("vit_b_16", 16, 12, 12, 768, 3072), preset("vit_b_32", 32, 12, 12, 768, 3072),
          preset("vit_l_16", 16, 24, 16, 1024, 4096), preset("vit_l_32", 32, 24, 16, 1024, 4096),
          preset("vit_h_14", 14, 32, 16, 1280, 5120)};
}

}  // namespace

Family vit_family() {
  return {.type = "vit", .role = Role::kClassifier, .make = make_from<Vit, vit_config>, .presets = vit_presets};
}

}  // namespace sextant::networks::torchvision
