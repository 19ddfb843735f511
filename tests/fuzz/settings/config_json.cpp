#include <ATen/ATen.h>

#include "fuzz/targets.h"
#include "internal/models/class_names.h"
#include "sextant/checkpoint/checkpoint.h"
#include "sextant/models/classifier.h"
#include "sextant/models/denoiser.h"
#include "sextant/runtime/error.h"

namespace sextant::fuzz {

void config_json(const std::filesystem::path& file) {
  const std::filesystem::path folder = file.parent_path();
  const std::filesystem::path weights = folder / "model.safetensors";
  if (!std::filesystem::exists(weights)) {
    checkpoint::StateDict tensors;
    tensors.set("fc.weight", at::ones({2, 2}));
    checkpoint::save_safetensors(weights, tensors);
  }
  const nlohmann::json config = models::describe(folder).config;
  const auto tried = [](auto work) {
    try {
      work();
    } catch (const Error&) {
    }
  };
  tried([&] { models::class_names_of(config); });
  tried([&] { models::class_count_of(config); });
  tried([&] { models::predicts_attributes(config); });
  tried([&] { models::input_convention(models::ClassifierInput::kConfig, config); });
  tried([&] { models::open_diffusion(folder, "", {}); });
  tried([&] { models::open_features(folder, "", {}); });
  models::build(config);
}

}  // namespace sextant::fuzz
