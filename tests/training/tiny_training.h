// A network and a data set that train in milliseconds.
#pragma once

#include "internal/models/registry.h"
#include "sextant/checkpoint/checkpoint.h"
#include "sextant/runtime/noise.h"
#include "sextant/training/objectives.h"
#include "sextant/training/trainer.h"
#include "support/golden.h"

namespace sextant::testing {

inline const nlohmann::json kTinyClassifier = {{"type", "resnet"},
                                               {"model",
                                                {{"block", "BasicBlock"},
                                                 {"layers", {1}},
                                                 {"width", 8},
                                                 {"in_channels", 1},
                                                 {"num_classes", 3},
                                                 {"stem_kernel", 3},
                                                 {"stem_stride", 1},
                                                 {"stem_pool", false}}},
                                               {"input", {{"range", {-1, 1}}}}};

inline const nlohmann::json kTinyDenoiser = {
    {"type", "adm-unet"},
    {"model",
     {{"image_size", 8},
      {"in_channels", 1},
      {"model_channels", 32},
      {"out_channels", 2},
      {"num_res_blocks", 1},
      {"attention_resolutions", {1}},
      {"channel_mult", {1}},
      {"num_classes", 4},
      {"dropout", 0.1},
      {"use_scale_shift_norm", true}}},
    {"null_label", 3},
    {"diffusion", {{"steps", 20}, {"noise_schedule", "cosine"}, {"learn_sigma", true}}}};

/// Images 8x8 of three classes: bright at the left, the right or nowhere, with noise by number.
inline std::filesystem::path tiny_images(const std::filesystem::path& path, int64_t count = 60) {
  const Tensor noise = Noise(5, {0}, {count, 8, 8, 1}).uniform(0)[0] * 100;
  const Tensor labels = at::arange(count, at::kLong).remainder(3);
  Tensor pixels = noise.clone();
  for (int64_t i = 0; i < count; ++i) {
    if (i % 3 < 2) pixels[i].narrow(1, i % 3 == 0 ? 0 : 4, 4).add_(120);
  }
  checkpoint::save_npz(path, {{"arr_0", pixels.to(at::kByte).contiguous()}, {"arr_1", labels}});
  return path;
}

inline std::shared_ptr<networks::Network> tiny_network(const nlohmann::json& config, uint64_t seed = 1) {
  std::shared_ptr<networks::Network> network = models::build(config);
  training::initialise(*network, config.at("type"), seed);
  network->train();
  return network;
}

/// One of an objective's numbers.
inline double number(const training::Numbers& numbers, const std::string& name) {
  for (const auto& [key, value] : numbers) {
    if (key == name) return value;
  }
  ADD_FAILURE() << "no " << name;
  return 0;
}

}  // namespace sextant::testing
