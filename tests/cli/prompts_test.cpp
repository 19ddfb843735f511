// Guiding by prompts, ensembles, cut-outs and TorchScript from the command line, with tiny networks of random weights.
#include <fstream>

#include "cli/program.h"
#include "internal/runtime/files.h"
#include "models/toy.h"
#include "sextant/checkpoint/checkpoint.h"

namespace sextant::cli::testing {
namespace {

using nlohmann::json;
using sextant::testing::TemporaryFolder;

class Prompts : public ::testing::Test {
 protected:
  Prompts() {
    json model = {{"type", "adm-unet"},
                  {"model",
                   {{"image_size", 16},
                    {"in_channels", 3},
                    {"out_channels", 6},
                    {"model_channels", 32},
                    {"num_res_blocks", 1},
                    {"attention_resolutions", json::array()},
                    {"channel_mult", {1, 1}},
                    {"num_heads", 1}}},
                  {"diffusion", {{"learn_sigma", true}}}};
    models::write_model(folder_ / "free", model, models::random_weights(model));
    model["model"]["num_classes"] = 3;
    models::write_model(folder_ / "classes", model, models::random_weights(model));
    models::write_model(folder_ / "clip", models::tiny_clip_config(),
                        models::random_weights(models::tiny_clip_config()));
  }

  Outcome run(const std::string& out, const std::vector<std::string>& more, const std::string& model = "free") {
    std::vector<std::string> words = {"sample",  "--model", folder_ / model, "--out", folder_ / out, "--count", "4",
                                      "--steps", "3",       "--threads",     "1",     "--batch",     "4"};
    words.insert(words.end(), more.begin(), more.end());
    return sextant(words);
  }

  std::vector<std::string> prompted(const std::vector<std::string>& more) {
    std::vector<std::string> words = {"--classifier",          folder_ / "clip", "--prompts",
                                      "a red fox; a blue cat", "--contrast",     "a photo"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  Tensor images(const std::string& out) { return array_of(folder_ / out); }

  TemporaryFolder folder_;
};

TEST_F(Prompts, SteerAnUnconditionalModelWhoseImagesDoNotDependOnTheirBatch) {
  const std::vector<std::string> more = {"--cutouts", "3", "--scale", "5", "--guidance", "js"};
  Outcome outcome = run("a", prompted(more));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const Tensor labels = array_of(folder_ / "a", "arr_1");
  EXPECT_LT(labels.max().item<int64_t>(), 2);  // never the contrast
  std::vector<std::string> one_by_one = prompted(more);
  one_by_one.insert(one_by_one.end(), {"--batch", "1"});
  outcome = run("b", one_by_one);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_LE((images("a").to(at::kInt) - images("b").to(at::kInt)).abs().max().item<int>(), 1);
  outcome = run("c", {});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_FALSE(at::equal(images("a"), images("c")));
}

TEST_F(Prompts, MayBeGivenOneByOneOrInAFile) {
  std::ofstream(folder_ / "texts.txt") << "a red fox\na blue cat\n";
  std::ofstream(folder_ / "recipe.toml") << "[classifier]\nprompts = [\"a red fox\", \"a blue cat\"]\n";
  const std::vector<std::string> common = {"--classifier", folder_ / "clip", "--contrast",
                                           "a photo",      "--labels",       "1,0"};
  const auto with = [&](std::vector<std::string> words) {
    words.insert(words.end(), common.begin(), common.end());
    return words;
  };
  ASSERT_EQ(run("a", with({"--prompts", "a red fox", "--prompts", "a blue cat"})).exit_code, 0);
  ASSERT_EQ(run("b", with({"--prompts", folder_ / "texts.txt"})).exit_code, 0);
  ASSERT_EQ(run("c", with({"--recipe", folder_ / "recipe.toml"})).exit_code, 0);
  EXPECT_TRUE(at::equal(images("a"), images("b")));
  EXPECT_TRUE(at::equal(images("a"), images("c")));
}

TEST_F(Prompts, OfAFileArePartOfTheRun) {
  const auto with_file = [&] {
    return std::vector<std::string>{"--classifier", folder_ / "clip", "--prompts", folder_ / "texts.txt"};
  };
  std::ofstream(folder_ / "texts.txt") << "a red fox\na blue cat; asleep\n";
  ASSERT_EQ(run("a", with_file()).exit_code, 0);
  std::ofstream(folder_ / "texts.txt") << "a red fox\na green cat\n";
  const Outcome changed = run("a", with_file());
  EXPECT_EQ(changed.exit_code, 2);
  EXPECT_NE(changed.err.find("[classifier] prompts is"), std::string::npos) << changed.err;
  std::filesystem::remove(folder_ / "texts.txt");
  const Outcome again = run("b", {"--recipe", folder_ / "a/run.json"});
  ASSERT_EQ(again.exit_code, 0) << again.err;
  EXPECT_TRUE(at::equal(images("a"), images("b")));
}

TEST_F(Prompts, ThatAreTooLongAreCutWithANoteOrRefused) {
  std::string text = "fox";
  for (int i = 0; i < 79; ++i) text += " fox";
  const std::vector<std::string> words = {"--classifier", folder_ / "clip", "--prompts", text, "--contrast", "a cat"};
  Outcome outcome = run("a", words);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(outcome.err.find("has 80 tokens, of which CLIP reads 75"), std::string::npos) << outcome.err;
  std::vector<std::string> strict = words;
  strict.push_back("--strict");
  strict.push_back("--overwrite");
  const std::string before = read_file(folder_ / "a/samples.npz");
  outcome = run("a", strict);
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_NE(outcome.err.find("strict: prompt 'fox fox"), std::string::npos) << outcome.err;
  EXPECT_EQ(read_file(folder_ / "a/samples.npz"), before);
}

TEST_F(Prompts, SayWhatIsMissing) {
  const auto error = [&](const std::vector<std::string>& words, const std::string& model = "free") {
    const Outcome outcome = run("out", words, model);
    EXPECT_EQ(outcome.exit_code, 2) << outcome.err;
    return outcome.err;
  };
  const auto expect = [&](const std::string& text, const std::string& part) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  };
  expect(error({"--classifier", folder_ / "clip"}), "prompts are needed");
  expect(error({"--classifier", folder_ / "clip", "--prompts", "a fox"}), "contrast is needed");
  expect(error({"--classifier", folder_ / "clip", "--contrast", "a fox"}), "contrast needs prompts");
  expect(error(prompted({"--clip-vocab", "nowhere.gz"})), "clip-vocab: there is no file nowhere.gz");
  expect(error(prompted({"--labels", "2"})), "class 2 is not one of the prompts, 0-1");
  expect(error(prompted({}), "classes"), "--prompts are no classes of model");
  EXPECT_EQ(run("labelled", prompted({"--denoiser-label", "1"}), "classes").exit_code, 0);
}

TEST_F(Prompts, WorkWithEnsemblesOfEqualClasses) {
  const std::string clip = folder_ / "clip";
  ASSERT_EQ(run("one", prompted({})).exit_code, 0);
  ASSERT_EQ(run("twice", prompted({"--classifier", clip})).exit_code, 0);  // the same one again
  // The mean of two equal members is each of them, up to rounding.
  EXPECT_LE((images("one").to(at::kInt) - images("twice").to(at::kInt)).abs().max().item<int>(), 1);
  const Outcome outcome =
      run("bad", {"--classifier", clip + "," + clip, "--classifier-arch", "a,b,c", "--prompts", "a;b"});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_NE(outcome.err.find("names 3 architectures for 2 classifiers"), std::string::npos) << outcome.err;
}

TEST_F(Prompts, AreTheClassesThatCalibrateAndEvaluateMeasure) {
  at::manual_seed(5);
  const Tensor pixels = at::randint(0, 256, {12, 16, 16, 3}, at::kByte);
  const Tensor labels = at::arange(12, at::kLong).remainder(2);
  checkpoint::save_npz(folder_ / "images.npz", {{"arr_0", pixels}, {"arr_1", labels}});
  models::ClassifierConfig clip = {.path = folder_ / "clip"};
  clip.prompts.targets = {"a red fox", "a blue cat"};
  clip.prompts.contrast = {"a photo"};
  const Tensor x = pixels.permute({0, 3, 1, 2}).to(at::kFloat) / 127.5 - 1;
  const Tensor right = models::open_classifier(clip, {}).logits(x).argmax(1).eq(labels);
  const double accuracy = right.to(at::kDouble).mean().item<double>();

  const Outcome calibrated = sextant([&] {
    std::vector<std::string> words = prompted({"--data", folder_ / "images.npz", "--format", "json", "--quiet"});
    words.insert(words.begin(), "calibrate");
    return words;
  }());
  ASSERT_EQ(calibrated.exit_code, 0) << calibrated.err;
  EXPECT_NEAR(json::parse(calibrated.out)["rows"][0]["accuracy"].get<double>(), accuracy, 1e-6);

  const std::string images = folder_ / "images.npz";
  const Outcome evaluated = sextant([&] {
    std::vector<std::string> words =
        prompted({"--reference", images, "--features", folder_ / "clip", "--layer", "visual", "--metrics", "accuracy",
                  "--format", "json", "--quiet", "--no-cache"});
    words.insert(words.begin(), {"evaluate", images});
    return words;
  }());
  ASSERT_EQ(evaluated.exit_code, 0) << evaluated.err;
  EXPECT_NEAR(json::parse(evaluated.out)["metrics"]["accuracy"]["value"].get<double>(), accuracy, 1e-6);
}

TEST_F(Prompts, AreNotNeededByATorchScriptClassifier) {
  const std::string archive = (sextant::testing::source_dir() / "tests/models/data/classifier_scripted.ts").string();
  Outcome outcome = run("a", {"--classifier", archive, "--classifier-arch", "torchscript", "--softplus-beta", "3"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  outcome = run("b", {"--classifier", archive});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.err.find("name the architecture torchscript"), std::string::npos) << outcome.err;
}

TEST(Upsampler, SaysWhatItNeeds) {
  const TemporaryFolder folder;
  const json config = {{"type", "adm-unet"},
                       {"model",
                        {{"image_size", 16},
                         {"in_channels", 6},
                         {"out_channels", 6},
                         {"model_channels", 32},
                         {"num_res_blocks", 1},
                         {"attention_resolutions", json::array()},
                         {"channel_mult", {1, 1}},
                         {"num_heads", 1}}},
                       {"diffusion", {{"learn_sigma", true}}}};
  models::write_model(folder / "model", config, models::random_weights(config));
  const Outcome outcome = sextant({"sample", "--model", folder / "model", "--out", folder / "out"});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_NE(outcome.err.find("an upsampler, which draws an image of 3 channels around a low-resolution one"),
            std::string::npos)
      << outcome.err;
}

}  // namespace
}  // namespace sextant::cli::testing
