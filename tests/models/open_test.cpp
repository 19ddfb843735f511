// Opening models from folders and files.
#include <fstream>

#include "sextant/checkpoint/checkpoint.h"
#include "sextant/models/classifier.h"
#include "sextant/models/denoiser.h"
#include "sextant/runtime/error.h"
#include "support/errors.h"
#include "support/golden.h"

namespace sextant::models {
namespace {

using nlohmann::json;
using testing::message_of;
using testing::TemporaryFolder;
using testing::Tolerance;

/// A cifar-resnet with small numbers everywhere.
checkpoint::StateDict some_weights(const std::string& arch) {
  at::manual_seed(1);
  checkpoint::StateDict weights;
  const auto network = build(arch_config(arch));
  for (const auto& entry : network->parameters().entries()) {
    if (entry.kind == networks::Parameters::Kind::kCounter) continue;
    weights.set(entry.name, 0.1 * at::rand(entry.shape) + 0.05);
  }
  return weights;
}

void write_folder(const std::filesystem::path& folder, const json& config, const checkpoint::StateDict& weights) {
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "config.json") << config;
  checkpoint::save_safetensors(folder / "model.safetensors", weights);
}

TEST(OpenedFile, ComputesTheSameAsTheOpenedFolder) {
  const TemporaryFolder folder;
  const checkpoint::StateDict weights = some_weights("cifar-resnet20");
  write_folder(folder / "model", arch_config("cifar-resnet20"), weights);
  checkpoint::save_safetensors(folder / "file.safetensors", weights);

  const Tensor x = at::rand({2, 3, 32, 32}) * 2 - 1;
  const Tensor from_folder = open_classifier({.path = folder / "model"}, {}).logits(x, {});
  for (const char* arch : {"cifar-resnet20", ""}) {
    const auto classifier = open_classifier({.path = folder / "file.safetensors", .arch = arch}, {});
    EXPECT_EQ(classifier.classes, 10);
    EXPECT_FALSE(classifier.uses_time);
    EXPECT_TRUE(at::equal(classifier.logits(x, {}), from_folder));
  }
}

TEST(OpenedFile, SaysWhichArchitectureFitsInPlaceOfAWrongOne) {
  const TemporaryFolder folder;
  checkpoint::save_safetensors(folder / "w.safetensors", some_weights("cifar-resnet20"));
  const std::string message = message_of<CheckpointError>(
      [&] { open_classifier({.path = folder / "w.safetensors", .arch = "cifar-resnet32"}, {}); });
  EXPECT_NE(message.find("w.safetensors: key '"), std::string::npos) << message;
  EXPECT_NE(message.find("? The file fits arch cifar-resnet20"), std::string::npos) << message;
}

TEST(OpenedFile, EndsASentenceBeforeTheNextBegins) {
  const TemporaryFolder folder;
  checkpoint::save_safetensors(folder / "w.safetensors", some_weights("cifar-resnet20"));
  json config = arch_config("cifar-resnet20");
  config["model"]["num_classes"] = 11;
  write_folder(folder / "model", config, some_weights("cifar-resnet20"));
  const std::string message = message_of<CheckpointError>([&] { open_classifier({.path = folder / "model"}, {}); });
  EXPECT_NE(message.find("; check the model's configuration. The file fits "), std::string::npos) << message;
}

TEST(OpenedFile, IsReadOnceSoThatAReplacedOneChangesNothing) {
  const TemporaryFolder folder;
  const auto file = folder / "w.safetensors";
  const checkpoint::StateDict weights = some_weights("cifar-resnet20");
  checkpoint::save_safetensors(file, weights);
  const Description description = describe(file);

  checkpoint::StateDict others;
  for (const auto& [name, tensor] : weights) others.set(name, 2 * tensor);
  checkpoint::save_safetensors(file, others);

  const auto network = open_network(description, {});
  for (const auto& entry : network->parameters().entries()) {
    if (entry.kind == networks::Parameters::Kind::kCounter) continue;
    EXPECT_TRUE(at::equal(entry.tensor, weights.at(entry.name))) << entry.name;
  }
}

TEST(OpenedFile, MustExistAndHaveTheRightRole) {
  EXPECT_EQ(message_of<CheckpointError>([] { describe("/nowhere/at/all"); }),
            "/nowhere/at/all: no such file or folder; give a model folder or a checkpoint file");
  EXPECT_EQ(message_of<CheckpointError>([] { describe("/nowhere/128x128_diffusion.pt"); }),
            "/nowhere/128x128_diffusion.pt: no such file or folder; docs/checkpoints.md says where to get it");
  const TemporaryFolder folder;
  write_folder(folder / "model", arch_config("cifar-resnet20"), some_weights("cifar-resnet20"));
  const std::string message = message_of<CheckpointError>([&] { open_diffusion(folder / "model", "", {}); });
  EXPECT_NE(message.find("a network of type 'cifar-resnet' is no diffusion model"), std::string::npos) << message;
}

TEST(OpenedClassifier, NamesAWrongNumberOfChannels) {
  const TemporaryFolder folder;
  write_folder(folder / "model", arch_config("cifar-resnet20"), some_weights("cifar-resnet20"));
  const std::string message =
      message_of<UsageError>([&] { open_classifier({.path = folder / "model"}, {}, {.channels = 1}); });
  EXPECT_NE(message.find("takes images of 3 channels, the diffusion model draws images of 1 channel"),
            std::string::npos)
      << message;
}

// ---- input conventions -------------------------------------------------------------------------------

/// Logits for x in a convention equal logits of the network's own input, computed here, and so do gradients.
TEST(InputConvention, IsAppliedToPixelsFromMinusOneToOne) {
  const TemporaryFolder folder;
  write_folder(folder / "model", arch_config("cifar-resnet20"), some_weights("cifar-resnet20"));
  const auto open = [&](ClassifierInput input, int64_t size = 0) {
    return open_classifier({.path = folder / "model", .input = input, .size = size}, {});
  };
  const auto raw = open(ClassifierInput::kRaw);
  at::manual_seed(2);
  const Tensor x = at::rand({2, 3, 32, 32}) * 2 - 1;
  const Tensor unit = (x + 1) / 2;
  const auto constant = [](std::vector<double> values) {
    return at::tensor(values, at::kDouble).to(at::kFloat).view({1, 3, 1, 1});
  };
  const Tensor imagenet = (unit - constant({0.485, 0.456, 0.406})) / constant({0.229, 0.224, 0.225});
  const Tolerance rounding{1e-4, 1e-5};
  EXPECT_TENSOR_NEAR(open(ClassifierInput::kHalf).logits(x, {}), raw.logits(unit, {}), rounding);
  EXPECT_TENSOR_NEAR(open(ClassifierInput::kImageNet).logits(x, {}), raw.logits(imagenet, {}), rounding);
  EXPECT_TENSOR_NEAR(open(ClassifierInput::kConfig).logits(x, {}), raw.logits(imagenet, {}), rounding);
  const Tensor small = at::_upsample_bilinear2d_aa(x, {20, 20}, false);
  EXPECT_TENSOR_NEAR(open(ClassifierInput::kRaw, 20).logits(x, {}), raw.logits(small, {}), rounding);
}

TEST(InputConvention, RefusesAnUnusableOne) {
  EXPECT_THROW(input_convention(ClassifierInput::kConfig, {{"input", {{"range", {1, 0}}}}}), CheckpointError);
  EXPECT_THROW(input_convention(ClassifierInput::kConfig, {{"input", {{"mean", {0.5}}}}}), CheckpointError);
  EXPECT_THROW(input_convention(ClassifierInput::kConfig, {{"input", {{"range", "wide"}}}}), CheckpointError);
}

// ---- processes -----------------------------------------------------------------------------------------

TEST(ProcessConfig, FollowsTheConfigAndNamesWhatItDoesNotKnow) {
  const auto process = process_config({{"steps", 400},
                                       {"noise_schedule", "cosine"},
                                       {"predict", "x0"},
                                       {"model_var_type", "FIXED_SMALL"},
                                       {"rescale_timesteps", true}});
  EXPECT_EQ(process.steps, 400);
  EXPECT_EQ(process.schedule, diffusion::BetaSchedule::kCosine);
  EXPECT_EQ(process.mean, diffusion::MeanType::kStartX);
  EXPECT_EQ(process.variance, diffusion::VarianceType::kFixedSmall);
  EXPECT_TRUE(process.rescale_timesteps);
  EXPECT_EQ(message_of<CheckpointError>([] {
              process_config({{"predict", "epsilonn"}});
            }),
            "config.json: diffusion.predict 'epsilonn' is unknown. Did you mean 'epsilon'?");
  EXPECT_EQ(message_of<CheckpointError>([] {
              process_config({{"noise_schedule", "lineer"}});
            }),
            "config.json: diffusion.noise_schedule 'lineer' is unknown. Did you mean 'linear'?");
  EXPECT_THROW(process_config({{"steps", "many"}}), CheckpointError);
}

}  // namespace
}  // namespace sextant::models
