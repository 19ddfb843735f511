// The table of families, the named architectures and the guess of an architecture from its weights.
#include "internal/models/registry.h"

#include <set>

#include "models/weights_like.h"
#include "sextant/runtime/error.h"
#include "support/errors.h"
#include "support/golden.h"

namespace sextant::models {
namespace {

using nlohmann::json;
using testing::message_of;

TEST(Registry, KnowsEveryTypeAndArchitectureOnce) {
  std::set<std::string> types;
  for (const networks::Family& family : networks::families())
    EXPECT_TRUE(types.insert(family.type).second) << family.type;
  std::set<std::string> names;
  for (const Architecture& architecture : architectures()) {
    EXPECT_TRUE(names.insert(architecture.preset.name).second) << architecture.preset.name;
  }
}

TEST(Registry, BuildsEveryNamedArchitectureInItsRole) {
  for (const Architecture& architecture : architectures()) {
    if (!networks::family_of(architecture.preset.config).make) continue;  // is its file
    const auto network = build(architecture.preset.config);
    EXPECT_GT(network->parameters().count(), 0) << architecture.preset.name;
    const bool classifies = dynamic_cast<const networks::ClassifierNetwork*>(network.get()) != nullptr;
    EXPECT_EQ(classifies, architecture.role == Role::kClassifier) << architecture.preset.name;
    const bool describes = dynamic_cast<const networks::FeatureNetwork*>(network.get()) != nullptr;
    EXPECT_EQ(describes, architecture.role == Role::kFeatures) << architecture.preset.name;
  }
}

TEST(Registry, NamesTheNearestArchitectureAndType) {
  EXPECT_EQ(message_of<UsageError>([] { arch_config("resnet51"); }),
            "architecture 'resnet51' is unknown. Did you mean 'resnet50'? 'sextant inspect FILE' shows which one a "
            "checkpoint "
            "fits");
  EXPECT_EQ(message_of<CheckpointError>([] {
              build({{"type", "resent"}});
            }),
            "config.json has the unknown type 'resent'. Did you mean 'resnet'?");
  EXPECT_EQ(message_of<CheckpointError>([] { build(json::object()); }),
            "config.json has no \"type\"; it names the family of the network, such as \"resnet\"");
}

// ---- guessing ----------------------------------------------------------------------------------------

TEST(GuessedArchitecture, IsAmongThoseThatFitForEveryNamedOne) {
  for (const char* arch : {"resnet50", "wide_resnet50_2", "cifar-resnet56", "inception-fid", "adm128-cond"}) {
    const Guess guess = guess_architecture(weights_like(*build(arch_config(arch))));
    EXPECT_NE(std::find(guess.archs.begin(), guess.archs.end(), arch), guess.archs.end()) << arch << ": " << guess.why;
  }
}

TEST(GuessedArchitecture, IsAConfigWhereNoNamedOneFits) {
  const std::vector<json> configs = {
      {{"type", "resnet"},
       {"model",
        {{"block", "BasicBlock"},
         {"layers", {1, 2, 1}},
         {"width", 24},
         {"in_channels", 1},
         {"num_classes", 7},
         {"stem_kernel", 3},
         {"stem_stride", 1}}}},
      {{"type", "resnet"},
       {"model",
        {{"block", "Bottleneck"}, {"layers", {1, 1}}, {"groups", 4}, {"width_per_group", 8}, {"num_classes", 7}}}},
      {{"type", "cifar-resnet"}, {"model", {{"num_blocks", {1, 2, 3}}, {"option", "B"}, {"num_classes", 5}}}},
      {{"type", "mnist-features"}, {"model", {{"channels", {4, 5, 6, 7}}, {"features", 11}, {"image_size", 20}}}}};
  for (const json& config : configs) {
    const checkpoint::StateDict weights = weights_like(*build(config));
    const Guess guess = guess_architecture(weights);
    EXPECT_TRUE(guess.archs.empty());
    ASSERT_FALSE(guess.config.is_null()) << config;
    EXPECT_EQ(guess.config.at("type"), config.at("type"));
    build(guess.config)->load(weights);  // throws where a name or a shape differs
  }
}

/// A small ADM with what `changes` says.
json adm_config(const json& changes = json::object()) {
  json model = {{"image_size", 32},          {"in_channels", 3},    {"model_channels", 32},
                {"out_channels", 6},         {"num_res_blocks", 2}, {"attention_resolutions", {2, 4}},
                {"channel_mult", {1, 2, 2}}, {"num_heads", 1}};
  model.update(changes);
  return {{"type", "adm-unet"}, {"model", model}};
}

json adm_classifier_config(const json& changes) {
  json config = adm_config({{"out_channels", 7}, {"num_head_channels", 64}, {"channel_mult", {2, 2, 4}}});
  config["type"] = "adm-classifier";
  config["model"].update(changes);
  return config;
}

TEST(GuessedArchitecture, IsTheConfigOfAnyAdmNetwork) {
  const std::vector<json> configs = {
      adm_config(),
      adm_config({{"num_classes", 11}, {"use_scale_shift_norm", true}, {"resblock_updown", true}}),
      adm_config({{"out_channels", 3}, {"channel_mult", {1, 1, 1}}, {"num_res_blocks", 1}, {"resblock_updown", true}}),
      adm_config({{"conv_resample", false}, {"attention_resolutions", json::array()}, {"num_res_blocks", 3}}),
      adm_config({{"channel_mult", {0.5, 1, 1.5}}, {"model_channels", 64}, {"in_channels", 1}, {"out_channels", 2}}),
      adm_config({{"channel_mult", {2}}, {"attention_resolutions", {1}}}),
      adm_config({{"model_channels", 64}, {"channel_mult", {1, 2, 3, 4}}, {"num_heads", 4}, {"image_size", 64}}),
      adm_classifier_config({{"pool", "attention"}, {"resblock_updown", true}, {"use_scale_shift_norm", true}}),
      adm_classifier_config({{"pool", "attention"}, {"image_size", 48}}),
      adm_classifier_config({{"pool", "adaptive"}, {"num_res_blocks", 1}}),
      adm_classifier_config({{"pool", "spatial"}}),
      adm_classifier_config({{"pool", "spatial_v2"}, {"conv_resample", false}}),
  };
  // What the shapes show.
  const std::vector<std::string> visible = {"in_channels",  "model_channels",        "out_channels", "num_res_blocks",
                                            "channel_mult", "attention_resolutions", "num_classes",  "pool"};
  for (const json& config : configs) {
    const checkpoint::StateDict weights = weights_like(*build(config));
    const Guess guess = guess_architecture(weights);
    ASSERT_FALSE(guess.config.is_null()) << config << guess.why;
    EXPECT_EQ(guess.config.at("type"), config.at("type"));
    EXPECT_NE(guess.why.find("not in the weights, so to be checked: image_size, the heads"), std::string::npos);
    build(guess.config)->load(weights);
    for (const std::string& key : visible) {
      EXPECT_EQ(guess.config["model"].value(key, json()), config["model"].value(key, json())) << key << config;
    }
    for (const char* key : {"use_scale_shift_norm", "resblock_updown"}) {
      EXPECT_EQ(guess.config["model"].value(key, false), config["model"].value(key, false)) << key << config;
    }
    if (config["type"] != "adm-unet") continue;
    const bool learned = config["model"]["out_channels"] == 2 * config["model"]["in_channels"].get<int64_t>();
    EXPECT_EQ(guess.config["diffusion"]["learn_sigma"], learned);
  }
}

TEST(GuessedArchitecture, IsNoneOfBlocksWithoutNumberOrEnd) {
  // A name costs nothing to write: a list is as long as it has blocks, not as their numbers say.
  for (const char* number : {"3000000000", "9223372036854775807", "99999999999999999999", "-1"}) {
    checkpoint::StateDict weights = weights_like(*build(adm_config()));
    weights.set(std::string("input_blocks.") + number + ".0.weight", at::zeros({1}));
    EXPECT_TRUE(guess_architecture(weights).config.is_null()) << number;
  }
  checkpoint::StateDict deep;
  deep.set("time_embed.0.weight", at::zeros({128, 32}));
  deep.set("input_blocks.0.0.weight", at::zeros({32, 3, 3, 3}));
  for (int block = 1; block < 2 * 70; block += 2) {
    deep.set("input_blocks." + std::to_string(block) + ".0.out_layers.3.weight", at::zeros({32, 1, 1, 1}));
    deep.set("input_blocks." + std::to_string(block) + ".0.in_layers.0.weight", at::zeros({32}));
  }
  EXPECT_TRUE(guess_architecture(deep).config.is_null()) << "an image that is halved 69 times";
}

TEST(GuessedArchitecture, KnowsTheImageSizeWhereAttentionPools) {
  for (const int64_t size : {32, 48, 64}) {
    const auto network = build(adm_classifier_config({{"pool", "attention"}, {"image_size", size}}));
    EXPECT_EQ(guess_architecture(weights_like(*network)).config["model"]["image_size"], size);
  }
}

TEST(WrongArchitecture, SaysWhichOneTheFileFits) {
  // One of each family as the file, opened as another of the same family and as one of another.
  const std::vector<std::pair<const char*, const char*>> pairs = {
      {"adm256-uncond", "adm256-cond"},
      {"adm64-classifier", "adm128-classifier"},
      {"adm-upsampler-64-256", "adm256-cond"},
      {"DiT-S/4-256", "DiT-B/4-256"},
      {"edm-cifar10-32x32-cond-vp", "edm-cifar10-32x32-uncond-ve"},
      {"clip-RN50", "clip-ViT-B/32"},
      {"resnet50", "resnet101"},
      {"cifar-resnet20", "cifar-resnet56"},
      {"vit_b_32", "vit_b_16"},
      {"convnext_tiny", "convnext_small"},
      {"densenet121", "densenet169"},
      {"efficientnet_b0", "efficientnet_b1"},
      {"sd-vae-ft-mse", "resnet18"},
      {"inception-fid", "resnet18"},
  };
  for (const auto& [right, wrong] : pairs) {
    const checkpoint::StateDict weights = weights_like(*build(arch_config(right)));
    const std::string message = message_of<CheckpointError>([&, &wrong = wrong] {
      const auto network = build(arch_config(wrong));
      load_weights(*network, weights, "file.pt");
    });
    EXPECT_EQ(message.rfind("file.pt: ", 0), 0u) << message;
    const std::vector<std::string> archs = guess_architecture(weights).archs;
    EXPECT_NE(std::find(archs.begin(), archs.end(), right), archs.end()) << right;
    EXPECT_NE(message.find("The file fits arch " + archs.front()), std::string::npos) << right << ": " << message;
  }
}

TEST(GuessedArchitecture, SaysWhichOneIsNearest) {
  checkpoint::StateDict weights = weights_like(*build(arch_config("resnet18")));
  weights.set("fc.weight", at::zeros({5, 100}));
  const Guess guess = guess_architecture(weights);
  EXPECT_TRUE(guess.archs.empty());
  EXPECT_EQ(guess.nearest, "resnet18");
  EXPECT_EQ(guess.why,
            "121 of 122 tensors fit resnet18; of another shape: fc.weight; write a config.json beside the file with "
            "what differs");
  // A head of several layers with weights, as fine-tuning makes.
  checkpoint::StateDict renamed;
  for (const auto& [name, tensor] : weights_like(*build(arch_config("resnet18")))) {
    renamed.set(name.rfind("fc.", 0) == 0 ? "fc.1." + name.substr(3) : name, tensor);
  }
  renamed.set("fc.3.weight", at::zeros({10, 1000}));
  const std::string why = guess_architecture(renamed).why;
  EXPECT_NE(why.find("not in it: fc.1."), std::string::npos) << why;
  EXPECT_NE(why.find("; missing: fc.weight, fc.bias; save them under its names where they are the same layers, else"),
            std::string::npos)
      << why;
}

TEST(GuessedArchitecture, ComesWithTheInputThatItsFamilyUsuallyHas) {
  struct Case {
    json config;
    json input;
  };
  const json imagenet = {{"range", {0, 1}}, {"mean", {0.485, 0.456, 0.406}}, {"std", {0.229, 0.224, 0.225}}};
  const auto with = [](json input, int64_t size) {
    input["size"] = size;
    input["resize"] = "bilinear";
    return input;
  };
  json resnet = arch_config("resnet18");  // fine-tuned for other classes
  resnet["model"]["num_classes"] = 7;
  json grey = {{"type", "resnet"},
               {"model",
                {{"block", "BasicBlock"},
                 {"layers", {1, 1}},
                 {"width", 8},
                 {"in_channels", 1},
                 {"num_classes", 10},
                 {"stem_kernel", 3},
                 {"stem_stride", 1}}}};
  json colour = grey;
  colour["model"].update({{"in_channels", 3}, {"stem_pool", false}});
  json cifar = {{"type", "cifar-resnet"}, {"model", {{"num_blocks", {1, 2, 3}}, {"num_classes", 100}}}};
  const std::vector<Case> cases = {
      {resnet, with(imagenet, 224)},
      {grey, with({{"range", {0, 1}}, {"mean", {0.1307}}, {"std", {0.3081}}}, 28)},
      {colour, with(imagenet, 32)},
      {cifar, with(imagenet, 32)},
  };
  for (const Case& expected : cases) {
    const Guess guess = guess_architecture(weights_like(*build(expected.config)));
    ASSERT_FALSE(guess.config.is_null()) << guess.why;
    EXPECT_EQ(guess.config["input"], expected.input) << guess.config;
    const std::string stem = expected.config["type"] == "resnet" ? "stem_stride and stem_pool; " : "";
    EXPECT_NE(guess.why.find("so to be checked: " + stem + "\"input\", which is as"), std::string::npos) << guess.why;
    if (stem.empty()) continue;
    for (const char* key : {"stem_stride", "stem_pool"}) {
      const json usual = std::string(key) == "stem_pool" ? json(true) : json(2);
      EXPECT_EQ(guess.config["model"].at(key), expected.config["model"].value(key, usual)) << key;
    }
  }
  // A named network but for its classes, whose family tells nothing by its shapes.
  for (const char* arch : {"vit_b_32", "convnext_tiny", "densenet121", "efficientnet_b0"}) {
    json config = arch_config(arch);
    config["model"]["num_classes"] = 12;
    const Guess guess = guess_architecture(weights_like(*build(config)));
    ASSERT_FALSE(guess.config.is_null()) << arch << guess.why;
    EXPECT_EQ(guess.config["model"]["num_classes"], 12) << arch;
    EXPECT_EQ(guess.config["input"], arch_config(arch)["input"]) << arch;
    EXPECT_NE(guess.why.find("\"input\", which is that of " + std::string(arch)), std::string::npos) << guess.why;
  }
}

TEST(GuessedArchitecture, IsNoneForStrangeWeights) {
  checkpoint::StateDict weights;
  weights.set("something", at::zeros({3}));
  const Guess guess = guess_architecture(weights);
  EXPECT_TRUE(guess.archs.empty());
  EXPECT_TRUE(guess.nearest.empty());
  EXPECT_EQ(guess.why, "its tensors fit no known architecture");
}

}  // namespace
}  // namespace sextant::models
