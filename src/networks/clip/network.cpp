// CLIP (Radford et al. 2021) with the names of openai/CLIP.
#include "clip/network.h"

#include <cmath>

#include "clip/towers.h"
#include "internal/kernels/linear.h"
#include "sextant/networks/network.h"
#include "sextant/runtime/error.h"

namespace sextant::networks::clip {
namespace {

Config read_config(const nlohmann::json& model) {
  ConfigReader reader("clip", model);
  Config config;
  config.embed_dim = reader.required<int64_t>("embed_dim");
  config.image_resolution = reader.required<int64_t>("image_resolution");
  if (model.contains("vision_layers") && model["vision_layers"].is_array()) {
    config.resnet_layers = reader.required<std::vector<int64_t>>("vision_layers");
    if (config.resnet_layers.size() != 4) reader.fail("a ResNet needs four numbers in 'vision_layers'");
  } else {
    config.vision_layers = reader.required<int64_t>("vision_layers");
  }
  config.vision_width = reader.required<int64_t>("vision_width");
  config.vision_patch_size = reader.optional<int64_t>("vision_patch_size", 0);
  config.context_length = reader.optional<int64_t>("context_length", 77);
  config.vocab_size = reader.optional<int64_t>("vocab_size", 49408);
  config.transformer_width = reader.required<int64_t>("transformer_width");
  config.transformer_heads = reader.required<int64_t>("transformer_heads");
  config.transformer_layers = reader.required<int64_t>("transformer_layers");
  config.softplus_beta = reader.optional<double>("softplus_beta", 0);
  config.quick_gelu = reader.optional("quick_gelu", true);
  config.own_vision_heads = reader.optional<int64_t>("vision_heads", 0);
  config.vision_mlp_width = reader.optional<int64_t>("vision_mlp_width", 0);
  reader.finish();
  if (!config.is_resnet() && config.softplus_beta > 0) reader.fail("a ViT has no ReLU, so 'softplus_beta' must be 0");
  if (!config.is_resnet() && config.vision_patch_size < 1) reader.fail("a ViT needs 'vision_patch_size'");
  if (config.own_vision_heads < 0 || config.vision_mlp_width < 0) {
    reader.fail("vision_heads and vision_mlp_width must be positive");
  }
  if (config.vision_heads() < 1 || config.vision_feature_width() % config.vision_heads() != 0) {
    reader.fail(config.own_vision_heads > 0
                    ? c10::str("vision_heads ", config.own_vision_heads, " does not divide the tower's ",
                               config.vision_feature_width(), " channels")
                    : c10::str("vision_width ", config.vision_width, " gives no whole heads of 64 channels"));
  }
  if (config.transformer_heads < 1 || config.transformer_width % config.transformer_heads != 0) {
    reader.fail("transformer_heads does not divide transformer_width");
  }
  return config;
}

class ClipNetwork : public Clip {
 public:
  explicit ClipNetwork(const Config& config)
      : config_(config), visual_(make_visual(Scope(parameters_) / "visual", config)) {
    const Scope scope(parameters_);
    const int64_t width = config.transformer_width;
    tokens_ = Embedding(scope / "token_embedding", config.vocab_size, width);
    position_ = scope.weight("positional_embedding", {config.context_length, width});
    transformer_ = Transformer(scope / "transformer", {width, config.transformer_layers, config.transformer_heads,
                                                       /*mlp_width=*/0, config.quick_gelu});
    norm_ = LayerNorm(scope / "ln_final", width);
    projection_ = scope.weight("text_projection", {width, config.embed_dim});
    logit_scale_ = scope.norm("logit_scale", {});
  }

  Tensor image_features(const Tensor& image) const override {
    const int64_t R = config_.image_resolution;
    if (image.dim() != 4 || image.size(1) != 3 || image.size(2) != R || image.size(3) != R) {
      throw ShapeError(
          c10::str("clip: expected images [B, 3, ", R, ", ", R, "], got ", image.sizes(), "; resize them first"));
    }
    return at_least_float(visual_->forward(image.to(compute_type())));
  }

  Tensor text_features(const Tensor& tokens) const override {
    const int64_t L = config_.context_length;
    if (tokens.dim() != 2 || tokens.size(1) != L || tokens.scalar_type() != at::kLong) {
      throw ShapeError(
          c10::str("clip: expected token ids [N, ", L, "] int64, got ", tokens.scalar_type(), " ", tokens.sizes()));
    }
    if (tokens.lt(0).logical_or(tokens.ge(config_.vocab_size)).any().item<bool>()) {
      throw ShapeError(c10::str("clip: token ids must lie in [0, ", config_.vocab_size, ")"));
    }
    Tensor x = tokens_(tokens) + position_;
    // No token sees those after it.
    const Tensor causal = at::full({L, L}, -INFINITY, x.options()).triu_(1);
    x = norm_(transformer_(x, causal));
    const Tensor end =
        tokens.argmax(1).reshape({-1, 1, 1}).expand({-1, 1, x.size(2)});  // the end token has the largest id
    return at_least_float(kernels::linear(x.gather(1, end).squeeze(1), projection_.t(), {}));
  }

  Tensor logits(const Tensor& image_features, const Tensor& text_features) const override {
    const auto unit = [](const Tensor& x) { return x / x.norm(2, 1, true); };
    return logit_scale_.exp() * kernels::linear(unit(image_features), unit(text_features), {});
  }

  int64_t image_resolution() const override { return config_.image_resolution; }
  int64_t context_length() const override { return config_.context_length; }

  /// OpenAI's archives carry three sizes beside the weights.
  checkpoint::StateDict renamed(const checkpoint::StateDict& weights) const override {
    checkpoint::StateDict kept;
    for (const auto& [name, tensor] : weights) {
      if (name == "input_resolution" || name == "context_length" || name == "vocab_size") continue;
      kept.set(name, tensor);
    }
    return kept;
  }

 private:
  Config config_;
  std::unique_ptr<Visual> visual_;
  Embedding tokens_;
  Tensor position_;
  Transformer transformer_;
  LayerNorm norm_;
  Tensor projection_;
  Tensor logit_scale_;
};

}  // namespace

std::unique_ptr<Network> make(const nlohmann::json& model) { return std::make_unique<ClipNetwork>(read_config(model)); }

}  // namespace sextant::networks::clip
