#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "cli/program.h"
#include "internal/runtime/files.h"
#include "sextant/checkpoint/checkpoint.h"

namespace sextant::cli::testing {
namespace {

/// What is wrong, how it is asked for, and what the one line must say.
struct Mistake {
  std::string name;
  std::vector<std::string> words;
  int exit_code;
  std::string message;
};

std::ostream& operator<<(std::ostream& out, const Mistake& mistake) { return out << mistake.name; }

class Mistaken : public ::testing::TestWithParam<Mistake> {};

TEST_P(Mistaken, CallEndsInOneClearLine) {
  const TemporaryFolder folder;
  const Mistake& mistake = GetParam();
  const bool bare = mistake.words.empty() || mistake.words[0] != "--";
  const Outcome outcome =
      sextant(bare ? mistake.words
                   : small_run(folder / "o", std::vector<std::string>(mistake.words.begin() + 1, mistake.words.end())));
  EXPECT_EQ(outcome.exit_code, mistake.exit_code) << outcome.err;
  EXPECT_NE(outcome.err.find(mistake.message), std::string::npos) << outcome.err;
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  EXPECT_EQ(outcome.err.rfind("sextant", 0), 0) << outcome.err;
  EXPECT_FALSE(std::filesystem::exists(folder / "o/samples.npz"));
}

// A first word "--" stands for a small run that would work without the rest.
INSTANTIATE_TEST_SUITE_P(
    Cli, Mistaken,
    ::testing::Values(
        Mistake{"UnknownCommand", {"smaple"}, 2, "unknown command 'smaple'. Did you mean 'sample'?"},
        Mistake{"UnknownFlag", {"--", "--alhpa", "1"}, 2, "unknown flag '--alhpa'. Did you mean '--alpha'?"},
        Mistake{"UnknownFlagWithEquals", {"--", "--alhpa=1"}, 2, "unknown flag '--alhpa'. Did you mean '--alpha'?"},
        Mistake{"MissingValue", {"sample", "--model"}, 2, "--model needs a value\n"},
        Mistake{"FlagForAValue", {"--", "--recipe", "--out", "g5"}, 2, "--recipe needs a value; '--out' is a flag\n"},
        Mistake{"NothingNear", {"--", "--nosuch"}, 2, "unknown flag '--nosuch'. See 'sextant sample --help'\n"},
        Mistake{"HelpOfTwo", {"help", "sample", "evaluate"}, 2, "unexpected 'evaluate': help takes one COMMAND"},
        Mistake{"HelpOfMore", {"help", "--markdown", "x"}, 2, "unexpected 'x': help takes one COMMAND"},
        Mistake{"HelpOfThree", {"help", "--man", "sample", "x"}, 2, "unexpected 'x': help takes one COMMAND"},
        Mistake{"HelpMisspelt", {"help", "sampel"}, 2, "unknown command 'sampel'. Did you mean 'sample'?"},
        Mistake{"StrayWord", {"--", "more"}, 2, "unexpected 'more'; every setting is a --flag"},
        Mistake{"NoModel", {"sample"}, 2, "--model is needed"},
        Mistake{"AlphaNotANumber", {"--", "--alpha", "nan"}, 2, "--alpha must be a number from 0 to 10, got 'nan'"},
        Mistake{"ScaleInfinite", {"--", "--scale", "inf"}, 2, "--scale must be a number"},
        Mistake{"NoSteps", {"--", "--steps", "0"}, 2, "--steps must be a whole number from 1"},
        Mistake{"MoreStepsThanTheModel", {"--", "--steps", "1001"}, 2, "steps 1001 is more than the 1000 of the model"},
        Mistake{"NoImages", {"--", "--count", "0"}, 2, "--count must be"},
        Mistake{"UnknownMethod", {"--", "--guidance", "helinger"}, 2, "--guidance 'helinger' is unknown"},
        Mistake{"MethodSuggested", {"--", "--guidance", "helinger"}, 2, "Did you mean 'hellinger'?"},
        Mistake{"NoneAdded", {"--", "--guidance", "none+js"}, 2, "use none alone"},
        Mistake{"UnknownSampler", {"--", "--sampler", "ddmi"}, 2, "Did you mean 'ddim'?"},
        Mistake{"SamplerOfAnotherKind", {"--", "--sampler", "edm-heun"}, 2, "sampler edm-heun does not fit"},
        Mistake{"RecurrenceElsewhere", {"--", "--sampler", "unipc", "--recurrence", "2"}, 2, "use ddpm or ddim"},
        Mistake{"BackwardAtNoisyImages",
                {"--", "--classifier", bundled("mnist-noisy-classifier"), "--guidance-input", "xt", "--backward-steps",
                 "2"},
                2,
                "which a noise-aware classifier does not read"},
        Mistake{"TwoWaysToExtrapolate",
                {"--", "--cfg-scale", "2", "--autoguidance-model", bundled("mnist-adm"), "--autoguidance-scale", "2"},
                2,
                "cfg-scale and autoguidance-model are two things to move away from"},
        Mistake{
            "LevelsReversed", {"--", "--cfg-scale", "2", "--cfg-interval", "5,1"}, 2, "--cfg-interval must be LO,HI"},
        Mistake{"LatentsOfAnImageModel", {"--", "--guidance-space", "latent"}, 2, "draws images, not latents"},
        Mistake{"LabelOutOfRange", {"--", "--labels", "10"}, 2, "class 10 is not one of the classifier's classes, 0-9"},
        Mistake{"LabelsUnreadable", {"--", "--labels", "3-x"}, 2, "'3-x' is no class"},
        Mistake{"LabelsBackwards", {"--", "--labels", "9-0"}, 2, "--labels '9-0': the range 9-0 runs backwards\n"},
        Mistake{"IntervalReversed", {"--", "--guidance-interval", "0.8,0.2"}, 2, "--guidance-interval must be LO,HI"},
        Mistake{"GroupDoesNotDivide",
                {"--", "--tilt", "-0.2", "--tilt-group", "2"},
                2,
                "--batch 3 must be a multiple of --tilt-group 2"},
        Mistake{"GuidanceWithoutClassifier",
                {"sample", "--model", bundled("mnist-adm"), "--guidance", "js"},
                2,
                "needs a --classifier"},
        Mistake{
            "NoiseAwareAtX0", {"--", "--classifier", bundled("mnist-noisy-classifier")}, 2, "give --guidance-input xt"},
        Mistake{"DenoiserLabelOutOfRange", {"--", "--denoiser-label", "11"}, 2, "has labels 0-10"},
        Mistake{"MissingModel", {"--", "--model", "/nowhere/model"}, 1, "/nowhere/model: no such file or folder"},
        Mistake{"MissingClassifier", {"--", "--classifier", "/nowhere/net.pt"}, 1, "/nowhere/net.pt"},
        Mistake{"ClassifierIsNoClassifier", {"--", "--classifier", bundled("mnist-adm")}, 1, "is no"},
        Mistake{"UnknownArchitecture", {"--", "--arch", "adm129-cond"}, 2, "architecture 'adm129-cond' is unknown"},
        Mistake{"UnknownDevice", {"--", "--device", "gpu"}, 2, "device 'gpu' is unknown"},
        Mistake{"HalfOnACpu", {"--", "--precision", "fp16"}, 1, "fp16 needs a GPU"},
        Mistake{"MissingRecipe", {"--", "--recipe", "/nowhere.toml"}, 1, "cannot read /nowhere.toml: No such file"},
        Mistake{"FolderForARecipe", {"--", "--recipe", "/"}, 1, "cannot read /: Is a directory"},
        Mistake{"DeviceForARecipe", {"--", "--recipe", "/dev/zero"}, 1, "cannot read /dev/zero: it is neither a file"},
        Mistake{"FolderOfLatin1", {"--", "--out", "caf\xe9"}, 2, "--out must be UTF-8, got 'caf\\xe9'"},
        Mistake{"ModelOfTwoLines", {"--", "--model", "/no\nwhere"}, 1, "/no\\nwhere"},
        Mistake{"SweepWithoutRecipe", {"sweep"}, 2, "a RECIPE is needed"},
        Mistake{"InspectWithoutFile", {"inspect"}, 2, "a FILE is needed"}),
    [](const auto& info) { return info.param.name; });

TEST(Mistakes, InRecipesNameTheFileAndTheKey) {
  const TemporaryFolder folder;
  const std::vector<std::pair<std::string, std::string>> recipes = {
      {"[guidance]\nalhpa = 1\n", "unknown key 'alhpa' in [guidance]. Did you mean 'alpha'?"},
      {"[gidance]\nalpha = 1\n", "unknown table [gidance]"},
      {"[sample]\nclassifier = \"c\"\n", "unknown key 'classifier' in [sample]; it belongs in [classifier]\n"},
      {"cfg_scale = 2\n", "key 'cfg_scale' stands in no table; it belongs in [model]\n"},
      {"[guidance]\nalpha = \"1\"\n", "[guidance] alpha must be a number, got \"1\""},
      {"[guidance]\nalpha = nan\n", "[guidance] --alpha must be a number from 0 to 10"},
      {"[guidance\nalpha = 1\n", "line 1"},
      {"[sampler]\nsteps = 1979-05-27\n", "dates are no settings"},
      {"[guidance]\nentropy-driven = f\n", "expected 'false', saw 'f\\n'"},
  };
  for (const auto& [text, message] : recipes) {
    write_atomically(folder / "r.toml", text);
    const Outcome outcome = sextant(small_run(folder / "o", {"--recipe", folder / "r.toml"}));
    EXPECT_EQ(outcome.exit_code, 2) << text;
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
    EXPECT_NE(outcome.err.find("r.toml"), std::string::npos) << outcome.err;
    EXPECT_NE(outcome.err.find(message), std::string::npos) << outcome.err;
  }
}

TEST(TruncatedCheckpoint, IsNamed) {
  const TemporaryFolder folder;
  std::filesystem::copy(bundled("mnist-adm"), folder / "m", std::filesystem::copy_options::recursive);
  std::filesystem::resize_file(folder / "m/model.safetensors", 100000);
  const Outcome outcome = sextant(small_run(folder / "o", {"--model", folder / "m"}));
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.err.find("m/model.safetensors"), std::string::npos) << outcome.err;
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
}

TEST(OutFolder, IsCheckedBeforeAnyWork) {
  const TemporaryFolder folder;
  write_atomically(folder / "file", "");
  // The missing model would be found later.
  const Outcome outcome = sextant(small_run(folder / "file/o", {"--model", "/nowhere"}));
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.err.find("cannot make the folder"), std::string::npos) << outcome.err;
  if (geteuid() == 0) GTEST_SKIP() << "root may write in any folder";
  std::filesystem::create_directory(folder / "locked");
  chmod((folder / "locked").c_str(), 0500);
  const Outcome locked = sextant(small_run(folder / "locked", {"--model", "/nowhere"}));
  EXPECT_EQ(locked.exit_code, 1);
  EXPECT_NE(locked.err.find("cannot write in the folder"), std::string::npos) << locked.err;
}

TEST(DiskWithoutRoom, IsNoticedBeforeAnyImageIsDrawn) {
  const TemporaryFolder folder;
  const Outcome outcome = Program(small_run(folder / "o", {"--count", "1000"}), 100000).finish();
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.err.find("cannot reserve 1 MiB for 1000 samples"), std::string::npos) << outcome.err;
}

TEST(ClassCounts, MustAgree) {
  const TemporaryFolder folder;
  // The feature network's classes are those of the digits; a classifier of three classes comes from a cut last layer.
  std::filesystem::copy(bundled("mnist-classifier"), folder / "c", std::filesystem::copy_options::recursive);
  checkpoint::StateDict weights;
  for (const auto& [name, tensor] : checkpoint::load(folder / "c/model.safetensors").weights()) {
    weights.set(name, name.rfind("fc.", 0) == 0 ? tensor.narrow(0, 0, 3) : tensor);
  }
  checkpoint::save_safetensors(folder / "c/model.safetensors", weights);
  nlohmann::json config = nlohmann::json::parse(read_file(folder / "c/config.json"));
  config["model"]["num_classes"] = 3;
  write_atomically(folder / "c/config.json", config.dump());

  const Outcome outcome = sextant(small_run(folder / "o", {"--classifier", folder / "c"}));
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_NE(outcome.err.find("has 3 classes but model"), std::string::npos) << outcome.err;
  EXPECT_EQ(
      sextant(small_run(folder / "p", {"--classifier", folder / "c", "--unconditional", "--labels", "0-2"})).exit_code,
      0);
}

}  // namespace
}  // namespace sextant::cli::testing
