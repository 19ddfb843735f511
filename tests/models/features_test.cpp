// Classifiers and CLIP as networks of features.
#include "models/toy.h"
#include "sextant/runtime/error.h"
#include "support/errors.h"

namespace sextant::models {
namespace {

using nlohmann::json;
using sextant::testing::message_of;
using sextant::testing::TemporaryFolder;
using sextant::testing::Tolerance;

/// Small members of the families with layers, and the width before the last layer.
std::vector<std::pair<json, int64_t>> small_classifiers() {
  return {
      {{{"type", "resnet"}, {"model", {{"block", "Bottleneck"}, {"layers", {1, 1}}, {"width", 8}, {"num_classes", 6}}}},
       64},
      {{{"type", "cifar-resnet"}, {"model", {{"num_blocks", {1, 1, 1}}, {"num_classes", 6}}}}, 64},
      {{{"type", "vit"},
        {"model",
         {{"image_size", 32},
          {"patch_size", 16},
          {"num_layers", 1},
          {"num_heads", 2},
          {"hidden_dim", 8},
          {"mlp_dim", 8},
          {"num_classes", 6}}}},
       8},
      {{{"type", "convnext"}, {"model", {{"block_setting", {{8, 16, 1}, {16, nullptr, 1}}}, {"num_classes", 6}}}}, 16},
      {{{"type", "densenet"},
        {"model", {{"growth_rate", 4}, {"block_config", {1, 1}}, {"num_init_features", 8}, {"num_classes", 6}}}},
       10},
  };
}

TEST(ClassifierFeatures, AreTheOutputsOfNamedLayers) {
  const TemporaryFolder folder;
  at::manual_seed(5);
  const Tensor images = at::randint(0, 256, {2, 3, 32, 32}, at::kByte);
  int number = 0;
  for (const auto& [config, width] : small_classifiers()) {
    const auto path = folder / std::to_string(number++);
    write_model(path, config, random_weights(config));
    const auto network = std::dynamic_pointer_cast<const networks::ClassifierNetwork>(open_network(describe(path), {}));
    const std::vector<std::string> layers = network->feature_layers();
    ASSERT_FALSE(layers.empty()) << config;
    const Tensor before = open_features(path, "", {}, layers.front())->forward(images).at("pool");
    EXPECT_EQ(before.sizes(), (std::vector<int64_t>{2, width})) << config;
    // The last layer's output is the classifier's own.
    const Tensor last = open_features(path, "", {}, layers.back())->forward(images).at("pool");
    const Tensor logits = open_classifier({.path = path}, {}).logits(images.to(at::kFloat) / 127.5 - 1, {});
    EXPECT_TENSOR_NEAR(last, logits, (Tolerance{1e-5, 1e-4})) << config;
    EXPECT_EQ(open_features(path, "", {at::kCPU, at::kDouble}, layers.front())->compute_type(), at::kDouble);
    for (const std::string& layer : layers) {
      EXPECT_EQ(open_features(path, "", {}, layer)->forward(images).at("pool").dim(), 2) << layer;
    }
  }
}

TEST(ClassifierFeatures, SeeImagesOfTheSizeThatTheyAreResizedTo) {
  const TemporaryFolder folder;
  json config = small_classifiers()[0].first;
  const auto weights = random_weights(config);
  at::manual_seed(6);
  const Tensor images = at::randint(0, 256, {2, 3, 32, 32}, at::kByte);
  const auto features = [&](const char* name, const json& input) {
    config["input"] = input;
    write_model(folder / name, config, weights);
    return open_features(folder / name, "", {}, "fc")->forward(images).at("pool");
  };
  const json resized = {{"range", {-1, 1}}, {"resized_to", 8}, {"size", 24}};
  const Tensor logits = [&] {
    features("resized", resized);
    return open_classifier({.path = folder / "resized"}, {}).logits(images.to(at::kFloat) / 127.5 - 1, {});
  }();
  EXPECT_TENSOR_NEAR(features("resized", resized), logits, (Tolerance{1e-5, 1e-4}));
  EXPECT_FALSE(at::allclose(features("usual", {{"range", {-1, 1}}, {"size", 24}}), logits, 1e-3, 1e-3));
}

TEST(ClassifierFeatures, NeedALayerThatThereIs) {
  const TemporaryFolder folder;
  const json config = small_classifiers()[0].first;
  write_model(folder / "model", config, random_weights(config));
  EXPECT_NE(testing::message_of<UsageError>([&] { open_features(folder / "model", "", {}); })
                .find("is an image classifier, not a network of features; name the layer whose output describes an "
                      "image: avgpool, layer1, layer2, fc"),
            std::string::npos);
  EXPECT_NE(testing::message_of<UsageError>([&] {
              open_features(folder / "model", "", {}, "layer7");
            }).find("describes images by avgpool, layer1, layer2, fc"),
            std::string::npos);
  EXPECT_NE(testing::message_of<UsageError>([&] {
              open_features(testing::source_dir() / "models/mnist-adm", "", {});
            }).find("gives no features of images"),
            std::string::npos);
}

TEST(ClipFeatures, AreImageEmbeddings) {
  const TemporaryFolder folder;
  write_model(folder / "clip", tiny_clip_config(), random_weights(tiny_clip_config()));
  const auto clip = std::dynamic_pointer_cast<const networks::Clip>(open_network(describe(folder / "clip"), {}));
  const Tensor images = at::randint(0, 256, {2, 3, 16, 16}, at::kByte);
  const Tensor unit = images.to(at::kFloat) / 255;
  const auto constant = [](const double* values) {
    return at::tensor({values[0], values[1], values[2]}, at::kDouble).to(at::kFloat).view({1, 3, 1, 1});
  };
  const Tensor expected = clip->image_features((unit - constant(networks::kClipMean)) / constant(networks::kClipStd));
  const auto features = open_features(folder / "clip", "", {});
  EXPECT_EQ(features->channels(), 3);
  EXPECT_TENSOR_NEAR(features->forward(images).at("pool"), expected, (Tolerance{1e-5, 1e-5}));
  EXPECT_EQ(features->parameters().entries().size(), clip->parameters().entries().size());
}

}  // namespace
}  // namespace sextant::models
