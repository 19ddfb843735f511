#include "networks/presets.h"

namespace sextant::networks {

std::vector<Preset> edm2_presets() {
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

}  // namespace sextant::networks
