// The sizes of Diffusion Transformers (Peebles & Xie 2023).
#include "internal/networks/family.h"

#include "dit/network.h"

namespace sextant::networks::dit {

namespace {

std::vector<Preset> presets() {
  struct Size {
    const char* name;
    int64_t depth, hidden_size, num_heads;
  };
  std::vector<Preset> presets;
  for (const Size& size : {Size{"S", 12, 384, 6}, {"B", 12, 768, 12}, {"L", 24, 1024, 16}, {"XL", 28, 1152, 16}}) {
    for (const int64_t patch : {2, 4, 8}) {
      for (const int64_t pixels : {256, 512}) {
        const std::string name = std::string("DiT-") + size.name + "/" + std::to_string(patch);
        presets.push_back({name + "-" + std::to_string(pixels),
                           {{"type", "dit"},
                            {"null_label", 1000},
                            {"diffusion",
                             {{"steps", 1000},
                              {"noise_schedule", "linear"},
                              {"learn_sigma", true},
                              {"model_var_type", "LEARNED_RANGE"},
                              {"clip", false}}},  // latents have no range
                            {"model",
                             {{"input_size", pixels / 8},
                              {"patch_size", patch},
                              {"in_channels", 4},
                              {"hidden_size", size.hidden_size},
                              {"depth", size.depth},
                              {"num_heads", size.num_heads},
                              {"num_classes", 1000},
                              {"learn_sigma", true}}}}});
      }
    }
  }
  return presets;
}

}  // namespace

Family family() {
  return {.type = "dit",
          .role = Role::kNoise,
          .make = make,
          .presets = presets,
          .assumed =
              "that it predicts noise, as DiT; SiT, of the same names and shapes, predicts the velocity of "
              "another process and is not supported"};
}

}  // namespace sextant::networks::dit
