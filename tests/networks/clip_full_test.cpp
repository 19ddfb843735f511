// Full-size CLIP with weights by the fill rule, against openai/CLIP run by PyTorch in float64.
#include <ATen/core/grad_mode.h>

#include "networks/made.h"
#include "sextant/checkpoint/checkpoint.h"
#include "sextant/networks/network.h"
#include "support/fill.h"
#include "support/golden.h"

namespace sextant::networks {
namespace {

std::unique_ptr<Clip> filled_clip(const std::string& name) {
  for (const Preset& preset : family("clip").presets()) {
    if (preset.name != name) continue;
    auto clip = made<Clip>("clip", preset.config["model"]);
    checkpoint::StateDict weights;
    for (const auto& entry : clip->parameters().entries()) {
      const bool integer = entry.kind == Parameters::Kind::kCounter;
      weights.set(entry.name, testing::filled(entry.name, entry.shape, {}, integer));
    }
    clip->load(weights);
    clip->freeze();
    return clip;
  }
  throw std::runtime_error("no preset " + name);
}

/// max |a - b| / max |b|
double relative_error(const Tensor& a, const Tensor& b) { return ((a - b).abs().max() / b.abs().max()).item<double>(); }

class FullClip : public ::testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(FullClip, SeesAndReadsAsTheReferenceDoes) {
  const auto [name, file] = GetParam();
  const checkpoint::StateDict reference =
      checkpoint::load(testing::source_dir() / "tests/networks/data" / file).weights();
  const at::NoGradGuard no_grad;
  const auto clip = filled_clip(name);
  const int64_t R = clip->image_resolution();
  const Tensor image = 17 * testing::filled("input/image", {2 * 3 * R * R}, {}).view({2, 3, R, R});
  const double seen = relative_error(clip->image_features(image), reference.at("image_features"));
  const double read = relative_error(clip->text_features(reference.at("text")), reference.at("text_features"));
  EXPECT_LT(seen, 2e-5);
  EXPECT_LT(read, 2e-5);
  std::cout << name << ": relative error of image features " << seen << ", of text features " << read << std::endl;
}

INSTANTIATE_TEST_SUITE_P(Networks, FullClip,
                         ::testing::Values(std::pair("clip-ViT-L/14", "full_clip_vit_l14.safetensors"),
                                           std::pair("clip-RN50x4", "full_clip_rn50x4.safetensors")),
                         [](const auto& info) { return info.index == 0 ? "VitL14" : "Rn50x4"; });

}  // namespace
}  // namespace sextant::networks
