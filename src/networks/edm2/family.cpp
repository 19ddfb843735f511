// The networks that Karras et al. 2024 (EDM2) published.
#include "internal/networks/family.h"

#include "edm2/network.h"

namespace sextant::networks::edm2 {

namespace {

/// What the published networks were trained on: the autoencoder's raw latents of images in [0, 1] (the autoencoder
/// itself was made for [-1, 1]), brought to mean 0 and deviation 0.5 per channel.
const nlohmann::json kLatents = {
    {"mean", {5.81, 3.25, 0.12, -2.15}}, {"std", {4.17, 4.62, 3.71, 3.28}}, {"scaled_std", 0.5}, {"pixels", {0, 1}}};

std::vector<Preset> presets() {
  struct Size {
    const char* name;
    int64_t channels;
  };
  std::vector<Preset> presets;
  const auto add = [&](const std::string& name, int64_t channels, int64_t image_channels, int64_t label_dim) {
    presets.push_back({name,
                       {{"type", "edm2"},
                        {"model",
                         {{"img_resolution", 64},
                          {"img_channels", image_channels},
                          {"label_dim", label_dim},
                          {"model_channels", channels}}}}});
    if (image_channels == 4) presets.back().config["latents"] = kLatents;
  };
  // 512 x 512 pixels are 64 x 64 latents of Stable Diffusion's autoencoder.
  for (const Size& size :
       {Size{"xxs", 64}, {"xs", 128}, {"s", 192}, {"m", 256}, {"l", 320}, {"xl", 384}, {"xxl", 448}}) {
    add(std::string("edm2-img512-") + size.name, size.channels, 4, 1000);
  }
  for (const Size& size : {Size{"xs", 128}, {"s", 192}}) {
    add(std::string("edm2-img512-") + size.name + "-uncond", size.channels, 4, 0);
  }
  for (const Size& size : {Size{"xs", 128}, {"s", 192}, {"m", 256}, {"l", 320}, {"xl", 384}}) {
    add(std::string("edm2-img64-") + size.name, size.channels, 3, 1000);
  }
  return presets;
}

}  // namespace

Family family() { return {.type = "edm2", .role = Role::kSigma, .make = make, .presets = presets}; }

}  // namespace sextant::networks::edm2
