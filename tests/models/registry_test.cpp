// The table of families, the named architectures and the guess of an architecture from its weights.
#include "models/registry.h"

#include <set>

#include "models/errors.h"
#include "sextant/error.h"
#include "support/golden.h"

namespace sextant::models {
namespace {

using nlohmann::json;
using testing::message_of;

/// Weights of the right names and shapes; zeros that share one number, so that they take no memory.
StateDict weights_like(const networks::Network& network) {
  StateDict weights;
  for (const auto& entry : network.parameters().entries()) {
    const auto type = entry.kind == networks::Parameters::Kind::kCounter ? at::kLong : at::kFloat;
    weights.set(entry.name, at::zeros({1}, type).squeeze(0).expand(entry.shape));
  }
  return weights;
}

TEST(Registry, KnowsEveryTypeAndArchitectureOnce) {
  std::set<std::string> types;
  for (const Family& family : families()) EXPECT_TRUE(types.insert(family.type).second) << family.type;
  std::set<std::string> names;
  for (const Architecture& architecture : architectures()) {
    EXPECT_TRUE(names.insert(architecture.preset.name).second) << architecture.preset.name;
  }
}

TEST(Registry, BuildsEveryNamedArchitectureInItsRole) {
  for (const Architecture& architecture : architectures()) {
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
    const StateDict weights = weights_like(*build(config));
    const Guess guess = guess_architecture(weights);
    EXPECT_TRUE(guess.archs.empty());
    ASSERT_FALSE(guess.config.is_null()) << config;
    EXPECT_EQ(guess.config.at("type"), config.at("type"));
    build(guess.config)->load(weights);  // throws where a name or a shape differs
  }
}

TEST(GuessedArchitecture, SaysWhichOneIsNearest) {
  StateDict weights = weights_like(*build(arch_config("resnet18")));
  weights.set("fc.weight", at::zeros({5, 100}));
  const Guess guess = guess_architecture(weights);
  EXPECT_TRUE(guess.archs.empty());
  EXPECT_EQ(guess.nearest, "resnet18");
  EXPECT_NE(guess.why.find("of 122 tensors fit resnet18"), std::string::npos) << guess.why;
}

TEST(GuessedArchitecture, IsNoneForStrangeWeights) {
  StateDict weights;
  weights.set("something", at::zeros({3}));
  const Guess guess = guess_architecture(weights);
  EXPECT_TRUE(guess.archs.empty());
  EXPECT_TRUE(guess.nearest.empty());
  EXPECT_EQ(guess.why, "its tensors fit no known architecture");
}

}  // namespace
}  // namespace sextant::models
