#include <cmath>
#include <filesystem>
#include <fstream>

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

TEST(Inspect, DescribesAMixtureFromItsConfig) {
  const Outcome outcome = sextant({"inspect", sextant::testing::source_dir() / "recipes/theory/three"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("Gaussian mixture"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("[3, 2, 2]"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("classes 0 to 2, null label 3; points of 2 numbers; the denoiser counts timesteps"),
            std::string::npos)
      << outcome.out;
  // From (0.7, 0.4) to (0.2, -1.1) and from (-0.6, 0) to (0.2, -1.1) and (0.7, 0.4): 1.58, 1.36 and 1.36.
  EXPECT_NE(outcome.out.find("means 1.36 to 1.58 apart"), std::string::npos) << outcome.out;
  const Outcome converted =
      sextant({"inspect", sextant::testing::source_dir() / "recipes/theory/three", "--to", "x.safetensors"});
  EXPECT_EQ(converted.exit_code, 2);
  EXPECT_NE(converted.err.find("is a mixture"), std::string::npos) << converted.err;
}

TEST(Inspect, SaysThatARunsFolderIsNoModel) {
  const TemporaryFolder folder;
  std::ofstream(folder / "run.json") << "{}";
  const Outcome outcome = sextant({"inspect", folder.path()});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_EQ(outcome.err, "sextant inspect: " + folder.path().string() +
                             " is the folder of a run, not of a model; its settings are in its run.json, and inspect "
                             "shows a file in it such as samples.npz\n");
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

TEST(Inspect, WritesTheChosenWeightsUnderTheNamesOfTheNetwork) {
  const TemporaryFolder folder;
  const checkpoint::StateDict plain = checkpoint::load(bundled("mnist-features") + "/model.safetensors").weights();
  checkpoint::StateDict file;
  for (const auto& [name, tensor] : plain) {
    file.set("net.module." + name, tensor);
    file.set("old_" + name, 2 * tensor);
  }
  checkpoint::save_safetensors(folder / "f.safetensors", file);
  struct Choice {
    std::vector<std::string> flags;
    double factor;
  };
  for (const Choice& choice :
       {Choice{{"--weights", "net"}, 1}, {{"--prefix", "net.module"}, 1}, {{"--prefix", "old_"}, 2}}) {
    std::vector<std::string> command = {"inspect", folder / "f.safetensors", "--to", folder / "c.safetensors"};
    command.insert(command.end(), choice.flags.begin(), choice.flags.end());
    const Outcome outcome = sextant(command);
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    const checkpoint::StateDict after = checkpoint::load(folder / "c.safetensors").tensors;
    ASSERT_EQ(after.size(), plain.size()) << choice.flags[1];
    for (const auto& [name, tensor] : after) EXPECT_TRUE(tensor.equal(choice.factor * plain.at(name))) << name;
  }
  const Outcome outcome = sextant({"inspect", folder / "f.safetensors", "--prefix", "nothing."});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_NE(outcome.err.find("its names begin with"), std::string::npos) << outcome.err;
}

TEST(Sample, RecordsWhichWeightsItTook) {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "model");
  std::filesystem::copy_file(bundled("mnist-adm") + "/config.json", folder / "model/config.json");
  checkpoint::StateDict file;
  for (const auto& [name, tensor] : checkpoint::load(bundled("mnist-adm") + "/model.safetensors").weights()) {
    file.set("ema." + name, tensor);
    file.set("model." + name, 0.5 * tensor);
  }
  checkpoint::save_safetensors(folder / "model/model.safetensors", file);
  const auto drawn = [&](const std::string& model, const std::string& out, const std::vector<std::string>& more) {
    std::vector<std::string> command = {"sample",    "--model", model,      "--count", "1",     "--steps", "2",
                                        "--sampler", "ddim",    "--labels", "3",       "--out", out};
    command.insert(command.end(), more.begin(), more.end());
    const Outcome outcome = sextant(command);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return std::pair(json::parse(std::ifstream(out + "/run.json"))["weights"], outcome.err);
  };
  const auto [plain, silence] = drawn(bundled("mnist-adm"), folder / "a", {});
  const auto [average, note] = drawn(folder / "model", folder / "b", {});
  const auto [raw, choice] = drawn(folder / "model", folder / "c", {"--weights", "model"});
  ASSERT_EQ(plain.size(), 2u);
  EXPECT_EQ(plain[1]["role"], "settings");
  EXPECT_EQ(plain[0]["role"], "model");
  EXPECT_EQ(plain[0]["group"], "");
  EXPECT_EQ(average[0]["group"], "ema");
  EXPECT_EQ(average[0]["average"], true);
  EXPECT_EQ(average[0]["hash"], plain[0]["hash"]);
  EXPECT_EQ(raw[0]["group"], "model");
  EXPECT_NE(raw[0]["hash"], plain[0]["hash"]);
  EXPECT_EQ(silence.find("its weights are"), std::string::npos) << silence;
  EXPECT_NE(note.find("its weights are 'ema', a moving average; 'model' fits too, the setting weights chooses"),
            std::string::npos)
      << note;
}

TEST(Inspect, ReadsArchivesOfArrays) {
  const Outcome outcome = sextant({"inspect", bundled("mnist-features") + "/reference_train.npz"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("[128, 128]"), std::string::npos) << outcome.out;
}

TEST(Inspect, ShowsWhichWeightsMakeAClassifierGiveNaN) {
  const TemporaryFolder folder;
  std::filesystem::copy(bundled("mnist-classifier"), folder / "c");
  checkpoint::StateDict weights = checkpoint::load(bundled("mnist-classifier") + "/model.safetensors").weights();
  const Outcome whole = sextant({"inspect", bundled("mnist-classifier")});
  EXPECT_NE(whole.out.find(" parameters, all finite\n"), std::string::npos) << whole.out;
  Tensor damaged = weights.at("conv1.weight").to(at::kFloat).clone();
  damaged.view(-1)[0] = std::nan("");
  damaged.view(-1)[5] = HUGE_VAL;
  Tensor large = weights.at("bn1.weight").to(at::kFloat).clone();
  large.fill_(3e38);  // its float32 sum is not finite, but each number is
  weights.set("conv1.weight", damaged);
  weights.set("bn1.weight", large);
  checkpoint::save_safetensors(folder / "c/model.safetensors", weights);

  const Outcome run = sextant(small_run(folder / "o", {"--classifier", folder / "c"}));
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_NE(run.err.find("the classifier's logits are not finite"), std::string::npos) << run.err;
  EXPECT_NE(run.err.find("'sextant inspect' shows whether its weights are finite"), std::string::npos) << run.err;

  const Outcome looked = sextant({"inspect", folder / "c"});
  ASSERT_EQ(looked.exit_code, 0) << looked.err;
  EXPECT_NE(looked.out.find(" parameters, 2 of them NaN or infinite\n"), std::string::npos) << looked.out;
  EXPECT_NE(looked.out.find("conv1.weight: 2 NaN or infinite\n"), std::string::npos) << looked.out;
  const json about = json::parse(sextant({"inspect", folder / "c", "--json"}).out);
  EXPECT_EQ(about["not_finite"], 2);
  for (const json& row : about["tensors"]) EXPECT_EQ(row.contains("not_finite"), row["name"] == "conv1.weight") << row;
}

TEST(Inspect, SaysTheTypeOfAFolderAndGivesAConfigForUnnamedWeights) {
  Outcome outcome = sextant({"inspect", bundled("mnist-adm")});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("\ntype: adm-unet\n"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("\narchitecture: no named one, the folder's own config.json: all 197 tensors fit it\n"),
            std::string::npos)
      << outcome.out;
  EXPECT_EQ(outcome.out.find("\nconfig.json:\n{"), std::string::npos) << "a second one, that differs: " << outcome.out;

  // The file alone shows what its folder says.
  outcome = sextant({"inspect", bundled("mnist-adm") + "/model.safetensors"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("not in the weights, so to be checked: image_size"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("\nconfig.json:\n{"), std::string::npos) << outcome.out;
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

TEST(InspectRecipe, TakesTheRecordOfAnyCommand) {
  const TemporaryFolder folder;
  ASSERT_EQ(sextant(small_run(folder / "o")).exit_code, 0);
  const Outcome outcome = sextant({"inspect", "--recipe", folder / "o/run.json"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("there    " + bundled("mnist-adm") + "\n"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("there    " + bundled("mnist-classifier") + "\n"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("nothing is missing"), std::string::npos) << outcome.out;
  EXPECT_EQ(sextant({"calibrate", "--recipe", folder / "o/run.json"}).exit_code, 2);
}

}  // namespace
}  // namespace sextant::cli::testing
