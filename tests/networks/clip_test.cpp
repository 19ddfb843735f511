// CLIP against openai/CLIP and, where it has GELU, open_clip, run by PyTorch on the CPU.
#include "clip/config.h"
#include "networks/gradient.h"
#include "networks/made.h"
#include "sextant/networks/network.h"
#include "sextant/runtime/error.h"
#include "support/golden.h"

namespace sextant::networks {
namespace {

using testing::Golden;
using testing::Tolerance;

Tensor cosine(const Tensor& a, const Tensor& b) { return at::cosine_similarity(a, b, 1, 0); }

class ClipGolden : public ::testing::TestWithParam<std::filesystem::path> {
 protected:
  ClipGolden() : golden_(GetParam()), clip_(made<Clip>("clip", golden_.config())) { clip_->load(golden_.weights()); }

  void expect_reference(at::ScalarType type) {
    const std::string prefix = type == at::kDouble ? "output64/" : "output/";
    const auto compare = [&](const std::string& name, const Tensor& actual) {
      if (!golden_.has(prefix + name)) return;
      const Tensor& expected = golden_[prefix + name];
      const Tolerance tolerance =
          type == at::kDouble ? Tolerance{testing::float64_tolerance(expected), 0} : golden_.output_tolerance(name);
      EXPECT_TRUE(testing::tensor_near(actual, expected, tolerance)) << name;
    };
    const Tensor image = golden_["input/image"].to(type);
    const Tensor image_features = clip_->image_features(image);
    const Tensor text_features = clip_->text_features(golden_["input/text"]);
    compare("image_features", image_features);
    compare("text_features", text_features);
    compare("logits_per_image", clip_->logits(image_features, text_features));
    compare("logits_per_text", clip_->logits(image_features, text_features).t());
    compare("cosine", cosine(image_features, text_features));
    compare("grad",
            testing::gradient([&](const Tensor& at) { return cosine(clip_->image_features(at), text_features).sum(); },
                              image));
  }

  Golden golden_;
  std::unique_ptr<Clip> clip_;
};

TEST_P(ClipGolden, SeesAndReadsAsTheReferenceDoes) { expect_reference(at::kFloat); }

TEST_P(ClipGolden, AgreesWithTheReferenceToRoundingInFloat64) {
  clip_->to(testing::test_device(), at::kDouble);
  expect_reference(at::kDouble);
}

TEST_P(ClipGolden, DeducesItsConfigurationFromTheWeights) {
  nlohmann::json config = golden_.config();
  // No weight's shape tells the number of heads: like the original, one for every 64 channels.
  config["transformer_heads"] = config["transformer_width"].get<int64_t>() / 64;
  for (const char* unseen : {"quick_gelu", "vision_heads"}) config.erase(unseen);
  EXPECT_EQ(clip::config_of(golden_.weights()), config);
}

TEST_P(ClipGolden, IgnoresTheSizesThatArchivesCarryBesideTheWeights) {
  checkpoint::StateDict weights = golden_.weights();
  weights.set("input_resolution", at::scalar_tensor(32, at::kLong));
  weights.set("context_length", at::scalar_tensor(16, at::kLong));
  weights.set("vocab_size", at::scalar_tensor(256, at::kLong));
  EXPECT_NO_THROW(clip_->load(weights));
}

TEST_P(ClipGolden, GivesFiniteLogitsInBfloat16) {
  clip_->to(testing::test_device(), at::kBFloat16);
  const Tensor logits =
      clip_->logits(clip_->image_features(golden_["input/image"]), clip_->text_features(golden_["input/text"]));
  EXPECT_EQ(logits.scalar_type(), at::kFloat);
  EXPECT_TRUE(at::isfinite(logits).all().item<bool>());
}

std::vector<std::filesystem::path> clip_files() {
  auto files = testing::golden_files_of_kind("clip");
  files.push_back(testing::source_dir() / "tests/networks/data/clip_gelu_small.safetensors");
  return files;
}

INSTANTIATE_TEST_SUITE_P(Networks, ClipGolden, ::testing::ValuesIn(clip_files()), testing::golden_name);

/// Weights of the right names and shapes that share one number.
checkpoint::StateDict weights_of(const nlohmann::json& model) {
  checkpoint::StateDict weights;
  const auto clip = made<Clip>("clip", model);
  for (const auto& entry : clip->parameters().entries()) weights.set(entry.name, at::zeros({}).expand(entry.shape));
  return weights;
}

TEST(DeducedClip, HasTheHeadsAndTheActivationThatNetworksOfItsWidthWerePublishedWith) {
  struct Case {
    int64_t width, heads, mlp_width;
    bool quick_gelu;
  };
  // open_clip's ViT-H-14, ViT-g-14 and ViT-bigG-14; OpenAI's ViT-L/14; one that nobody published.
  for (const Case& c : {Case{1280, 16, 0, false},
                        {1408, 16, 6144, false},
                        {1664, 16, 8192, false},
                        {1024, 16, 0, true},
                        {320, 5, 0, true}}) {
    nlohmann::json model = {{"embed_dim", 32},         {"image_resolution", 28},  {"vision_layers", 1},
                            {"vision_width", c.width}, {"vision_patch_size", 14}, {"transformer_width", 64},
                            {"transformer_heads", 1},  {"transformer_layers", 1}, {"vocab_size", 100}};
    if (c.mlp_width > 0) model["vision_mlp_width"] = c.mlp_width;
    model["vision_heads"] = c.heads;
    const nlohmann::json found = family("clip").deduce(weights_of(model));
    EXPECT_EQ(found.at("vision_heads"), c.heads) << c.width;
    EXPECT_EQ(found.at("quick_gelu"), c.quick_gelu) << c.width;
    EXPECT_EQ(found.value("vision_mlp_width", int64_t{0}), c.mlp_width) << c.width;
    EXPECT_NO_THROW(made<Clip>("clip", found)->load(weights_of(model))) << c.width;
  }
}

TEST(Clip, RefusesHeadsThatDoNotDivideItsTower) {
  nlohmann::json model = {{"embed_dim", 8},         {"image_resolution", 16}, {"vision_layers", 1},
                          {"vision_width", 64},     {"vision_patch_size", 8}, {"transformer_width", 64},
                          {"transformer_heads", 1}, {"transformer_layers", 1}};
  EXPECT_NO_THROW(made<Clip>("clip", model));
  model["vision_heads"] = 3;
  EXPECT_THROW(made<Clip>("clip", model), CheckpointError);
  model["vision_heads"] = -1;
  EXPECT_THROW(made<Clip>("clip", model), CheckpointError);
}

TEST(ClipPresets, HaveAsManyNumbersAsThePublishedModels) {
  // Parameters and batch norms' statistics.
  const std::map<std::string, int64_t> published = {
      {"clip-RN50", 102060385},          {"clip-RN101", 119793505},         {"clip-RN50x4", 178410361},
      {"clip-RN50x16", 291173137},       {"clip-RN50x64", 623668929},       {"clip-ViT-B/32", 151277313},
      {"clip-ViT-B/16", 149620737},      {"clip-ViT-L/14", 427616513},      {"clip-ViT-L/14@336px", 427944193},
      {"clip-ViT-B/32-gelu", 151277313}, {"clip-ViT-B/16-gelu", 149620737}, {"clip-ViT-L/14-gelu", 427616513}};
  EXPECT_EQ(family("clip").presets().size(), published.size());
  for (const Preset& preset : family("clip").presets()) {
    EXPECT_EQ(made<Clip>("clip", preset.config["model"])->parameters().count(), published.at(preset.name))
        << preset.name;
  }
}

TEST(Clip, RefusesWeightsOfAnotherKindOfNetwork) {
  checkpoint::StateDict weights;
  weights.set("conv1.weight", at::zeros({4, 3, 3, 3}));
  EXPECT_THROW(clip::config_of(weights), CheckpointError);
}

}  // namespace
}  // namespace sextant::networks
