// The autoencoders of Stable Diffusion (Rombach et al. 2022).
#include "internal/networks/family.h"

#include "vae/network.h"

namespace sextant::networks::vae {

namespace {

std::vector<Preset> presets() {
  const nlohmann::json config = {{"type", "vae"},
                                 {"model",
                                  {{"in_channels", 3},
                                   {"out_channels", 3},
                                   {"latent_channels", 4},
                                   {"block_out_channels", {128, 256, 512, 512}},
                                   {"layers_per_block", 2},
                                   {"norm_num_groups", 32},
                                   {"scaling_factor", 0.18215}}}};
  return {{"sd-vae-ft-mse", config}, {"sd-vae-ft-ema", config}};
}

}  // namespace

Family family() {
  return {.type = "vae",
          .role = Role::kAutoencoder,
          .make = make,
          .presets = presets,
          .assumed =
              "scaling_factor, 0.18215; Stable Diffusion XL's autoencoder, of the same names and shapes, has "
              "0.13025 and is opened as a folder with its config.json"};
}

}  // namespace sextant::networks::vae
