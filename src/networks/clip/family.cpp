// The nine networks of CLIP (Radford et al. 2021) that OpenAI published, and those of their shapes that open_clip
// trains on LAION's images, with GELU.
#include "internal/networks/family.h"

#include "clip/config.h"
#include "clip/network.h"
#include "sextant/networks/network.h"
#include "sextant/runtime/error.h"

namespace sextant::networks::clip {
namespace {

nlohmann::json clip(int64_t embed_dim, int64_t resolution, nlohmann::json layers, int64_t width, nlohmann::json patch,
                    int64_t text_width) {
  return {{"type", "clip"},
          {"input",
           {{"range", {0, 1}}, {"mean", kClipMean}, {"std", kClipStd}, {"size", resolution}, {"resize", "bicubic"}}},
          {"model",
           {{"embed_dim", embed_dim},
            {"image_resolution", resolution},
            {"vision_layers", std::move(layers)},
            {"vision_width", width},
            {"vision_patch_size", std::move(patch)},
            {"context_length", 77},
            {"vocab_size", 49408},
            {"transformer_width", text_width},
            {"transformer_heads", text_width / 64},
            {"transformer_layers", 12}}}};
}

/// The same network with GELU.
Preset with_gelu(const char* name, nlohmann::json config) {
  config["model"]["quick_gelu"] = false;
  return {name, std::move(config), /*guessed=*/false};
}

std::vector<Preset> presets() {
  return {{"clip-RN50", clip(1024, 224, {3, 4, 6, 3}, 64, nullptr, 512)},
          {"clip-RN101", clip(512, 224, {3, 4, 23, 3}, 64, nullptr, 512)},
          {"clip-RN50x4", clip(640, 288, {4, 6, 10, 6}, 80, nullptr, 640)},
          {"clip-RN50x16", clip(768, 384, {6, 8, 18, 8}, 96, nullptr, 768)},
          {"clip-RN50x64", clip(1024, 448, {3, 15, 36, 10}, 128, nullptr, 1024)},
          {"clip-ViT-B/32", clip(512, 224, 12, 768, 32, 512)},
          {"clip-ViT-B/16", clip(512, 224, 12, 768, 16, 512)},
          {"clip-ViT-L/14", clip(768, 224, 24, 1024, 14, 768)},
          {"clip-ViT-L/14@336px", clip(768, 336, 24, 1024, 14, 768)},
          with_gelu("clip-ViT-B/32-gelu", clip(512, 224, 12, 768, 32, 512)),
          with_gelu("clip-ViT-B/16-gelu", clip(512, 224, 12, 768, 16, 512)),
          with_gelu("clip-ViT-L/14-gelu", clip(768, 224, 24, 1024, 14, 768))};
}

nlohmann::json deduce(const checkpoint::StateDict& weights) {
  try {
    nlohmann::json config = config_of(weights);
    // open_clip has published one network of each of these widths: ViT-H, ViT-g and ViT-bigG, of 16 heads, with GELU.
    const int64_t width = config["vision_width"];
    const bool known = width == 1280 || width == 1408 || width == 1664;
    if (config["vision_layers"].is_number()) config["vision_heads"] = known ? 16 : width / 64;
    config["quick_gelu"] = !known;
    return config;
  } catch (const CheckpointError&) {
    return nullptr;
  }
}

/// OpenAI's archives carry three sizes, other files do not.
std::string doubt(const nlohmann::json& model, const checkpoint::StateDict& weights) {
  if (model.contains("quick_gelu")) return "";
  for (const char* size : {"input_resolution", "context_length", "vocab_size"}) {
    if (weights.contains(size)) return "";
  }
  return "the activation, which is taken to be OpenAI's QuickGELU; most of open_clip's networks have GELU: an "
         "architecture such as clip-ViT-B/32-gelu, or \"quick_gelu\": false in the model of a config.json";
}

}  // namespace

Family family() {
  return {.type = "clip",
          .role = Role::kClip,
          .make = make,
          .presets = presets,
          .deduce = deduce,
          .assumed =
              "quick_gelu (true is OpenAI's, false GELU, which most of open_clip's networks have), vision_heads "
              "and transformer_heads",
          .doubt = doubt};
}

}  // namespace sextant::networks::clip
