// The nine networks of CLIP (Radford et al. 2021) that OpenAI published.
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

std::vector<Preset> presets() {
  return {{"clip-RN50", clip(1024, 224, {3, 4, 6, 3}, 64, nullptr, 512)},
          {"clip-RN101", clip(512, 224, {3, 4, 23, 3}, 64, nullptr, 512)},
          {"clip-RN50x4", clip(640, 288, {4, 6, 10, 6}, 80, nullptr, 640)},
          {"clip-RN50x16", clip(768, 384, {6, 8, 18, 8}, 96, nullptr, 768)},
          {"clip-RN50x64", clip(1024, 448, {3, 15, 36, 10}, 128, nullptr, 1024)},
          {"clip-ViT-B/32", clip(512, 224, 12, 768, 32, 512)},
          {"clip-ViT-B/16", clip(512, 224, 12, 768, 16, 512)},
          {"clip-ViT-L/14", clip(768, 224, 24, 1024, 14, 768)},
          {"clip-ViT-L/14@336px", clip(768, 336, 24, 1024, 14, 768)}};
}

nlohmann::json deduce(const checkpoint::StateDict& weights) {
  try {
    return config_of(weights);
  } catch (const CheckpointError&) {
    return nullptr;
  }
}

}  // namespace

Family family() { return {.type = "clip", .role = Role::kClip, .make = make, .presets = presets, .deduce = deduce}; }

}  // namespace sextant::networks::clip
