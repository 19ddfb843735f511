#include "cli/program.h"
#include "sextant/checkpoint/checkpoint.h"

namespace sextant::cli::testing {
namespace {

using nlohmann::json;

TEST(Inspect, ShowsNamesShapesAndTheArchitecture) {
  const Outcome outcome = sextant({"inspect", bundled("mnist-classifier")});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("model.safetensors: safetensors, "), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("[32, 1, 3, 3]"), std::string::npos);
  EXPECT_NE(outcome.out.find("layer4.0.conv1.weight"), std::string::npos);
  EXPECT_NE(outcome.out.find("architecture: "), std::string::npos);
}

TEST(Inspect, PrintsJson) {
  const Outcome outcome = sextant({"inspect", bundled("mnist-adm"), "--json"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const json about = json::parse(outcome.out);
  EXPECT_EQ(about["parameters"], 2030850);
  EXPECT_EQ(about["tensors"][0]["dtype"], "float32");
}

TEST(Inspect, ConvertsToSafetensors) {
  const TemporaryFolder folder;
  const std::string from = bundled("mnist-features") + "/model.safetensors";
  const Outcome outcome = sextant({"inspect", from, "--to", folder / "c.safetensors"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const checkpoint::StateDict before = checkpoint::load(from).weights();
  const checkpoint::StateDict after = checkpoint::load(folder / "c.safetensors").weights();
  ASSERT_EQ(after.names(), before.names());
  for (const auto& [name, tensor] : after) EXPECT_TRUE(tensor.equal(before.at(name))) << name;
}

TEST(Inspect, ReadsArchivesOfArrays) {
  const Outcome outcome = sextant({"inspect", bundled("mnist-features") + "/reference_train.npz"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("[128, 128]"), std::string::npos) << outcome.out;
}

TEST(Inspect, SaysTheTypeOfAFolderAndGivesAConfigForUnnamedWeights) {
  Outcome outcome = sextant({"inspect", bundled("mnist-adm")});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("\ntype: adm-unet\n"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("not in the weights, so to be checked: image_size"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("\nconfig.json:\n{"), std::string::npos) << outcome.out;

  // The file alone shows what its folder says.
  outcome = sextant({"inspect", bundled("mnist-adm") + "/model.safetensors", "--json"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const json guess = json::parse(outcome.out)["guess"];
  EXPECT_EQ(guess["config"]["type"], "adm-unet");
  const json folder = json::parse(sextant({"inspect", bundled("mnist-adm"), "--json"}).out);
  EXPECT_EQ(folder["type"], "adm-unet");
  for (const char* key :
       {"in_channels", "model_channels", "out_channels", "num_res_blocks", "channel_mult", "num_classes"}) {
    EXPECT_EQ(guess["config"]["model"][key], folder["config"]["model"][key]) << key;
  }
}

TEST(Inspect, SaysWhatIsWrong) {
  const TemporaryFolder folder;
  const std::string from = bundled("mnist-features") + "/model.safetensors";
  EXPECT_EQ(sextant({"inspect", "/nowhere.pt"}).exit_code, 1);
  EXPECT_EQ(sextant({"inspect", from, "--to", folder / "c.pt"}).exit_code, 2);
  EXPECT_EQ(sextant({"inspect", from, "--to", from}).exit_code, 2);
}

}  // namespace
}  // namespace sextant::cli::testing
