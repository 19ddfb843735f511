// Models and files that change under a run, and models whose numbers burst.
#include <csignal>
#include <memory>

#include "cli/faults_fixture.h"
#include "internal/runtime/files.h"
#include "sextant/checkpoint/checkpoint.h"

namespace sextant::cli::testing {
namespace {

namespace fs = std::filesystem;

/// A copy of the bundled model, one of whose tensors is then changed.
class ChangedModel : public ::testing::Test {
 protected:
  ChangedModel() { fs::copy(bundled("mnist-adm"), folder_ / "m", fs::copy_options::recursive); }

  void change(const std::string& name, const std::function<Tensor(const Tensor&)>& how) const {
    checkpoint::StateDict weights;
    for (const auto& [key, tensor] : checkpoint::load(folder_ / "m/model.safetensors").tensors) {
      weights.set(key, key == name ? how(tensor) : tensor.clone());
    }
    checkpoint::save_safetensors(folder_ / "m/model.safetensors", weights);
  }

  std::vector<std::string> words(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all = twenty_batches(folder_ / "o", {"--model", folder_ / "m"});
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  TemporaryFolder folder_;
};

TEST_F(ChangedModel, UnderAnUnfinishedRunIsRefused) {
  Program program(words());
  ASSERT_TRUE(wait_for_first_batch(folder_ / "o"));
  program.signal(SIGKILL);
  program.finish();
  change("out.2.bias", [](const Tensor& bias) { return bias + 1e-3; });
  expect_one_line(sextant(words()), 2, {"are not those that the images in " + (folder_ / "o").string(), "--overwrite"});
  ASSERT_EQ(sextant(words({"--overwrite"})).exit_code, 0);
  const std::string replaced = read_file(folder_ / "o/samples.npz");
  fs::remove_all(folder_ / "o");
  ASSERT_EQ(sextant(words()).exit_code, 0);
  EXPECT_EQ(read_file(folder_ / "o/samples.npz"), replaced) << "an image of the former weights was kept";
}

TEST_F(ChangedModel, UnderBatchesOfTasksIsRefused) {
  ASSERT_EQ(sextant(words({"--shard", "1/2"})).exit_code, 0);
  change("out.2.bias", [](const Tensor& bias) { return bias + 0.5; });
  expect_one_line(
      sextant(words()), 2,
      {"the weights of the model (", "are not those that the images in " + (folder_ / "o").string(), "--overwrite"});
  EXPECT_TRUE(fs::exists(folder_ / "o/samples.batches/0.npz"));
  EXPECT_FALSE(fs::exists(folder_ / "o/samples.npz"));
  ASSERT_EQ(sextant(words({"--overwrite"})).exit_code, 0);
  EXPECT_FALSE(fs::exists(folder_ / "o/samples.batches"));
  const std::string replaced = read_file(folder_ / "o/samples.npz");
  ASSERT_EQ(sextant(words({"--out", folder_ / "fresh"})).exit_code, 0);
  EXPECT_EQ(read_file(folder_ / "fresh/samples.npz"), replaced) << "a batch of the former weights was kept";
}

TEST_F(ChangedModel, UnderTheFolderOfAMergeIsRefused) {
  ASSERT_EQ(sextant(words({"--count", "4"})).exit_code, 0);
  const std::string former = read_file(folder_ / "o/samples.npz");
  change("out.2.bias", [](const Tensor& bias) { return bias + 0.5; });
  for (const char* k : {"1", "2"}) {
    const std::string shard = std::string(k) + "/2";
    ASSERT_EQ(sextant(words({"--count", "6", "--shard", shard, "--out", folder_ / k})).exit_code, 0);
  }
  const Outcome merged = sextant({"merge", folder_ / "1", folder_ / "2", "--out", folder_ / "o"});
  EXPECT_EQ(merged.exit_code, 2);
  EXPECT_NE(merged.err.find("are not those that the images in " + (folder_ / "o").string()), std::string::npos)
      << merged.err;
  EXPECT_EQ(merged.err.find("--overwrite"), std::string::npos) << merged.err;
  EXPECT_EQ(read_file(folder_ / "o/samples.npz"), former);
}

TEST_F(ChangedModel, UnderARunThatGrowsIsRefused) {
  ASSERT_EQ(sextant(words({"--count", "4"})).exit_code, 0);
  change("out.2.bias", [](const Tensor& bias) { return bias + 1e-3; });
  expect_one_line(sextant(words({"--count", "6"})), 2, {"are not those that the images in"});
}

TEST_F(ChangedModel, UnderAFinishedRunIsRefusedAndReplacedWhereThatIsAskedFor) {
  ASSERT_EQ(sextant(words({"--count", "2"})).exit_code, 0);
  const std::string first = read_file(folder_ / "o/samples.npz");
  change("out.2.bias", [](const Tensor& bias) { return bias.clone(); });  // another file of the same weights
  EXPECT_NE(sextant(words({"--count", "2"})).out.find("drawn before this run"), std::string::npos);
  change("out.2.bias", [](const Tensor& bias) { return bias + 0.5; });
  expect_one_line(sextant(words({"--count", "2"})), 2, {"the weights of the model (", "are not those that the images"});
  ASSERT_EQ(sextant(words({"--count", "2", "--overwrite"})).exit_code, 0);
  EXPECT_NE(read_file(folder_ / "o/samples.npz"), first);
}

TEST_F(ChangedModel, OfWhichTheSettingsChangedIsRefused) {
  ASSERT_EQ(sextant(words({"--count", "2"})).exit_code, 0);
  nlohmann::json config = nlohmann::json::parse(read_file(folder_ / "m/config.json"));
  write_atomically(folder_ / "m/config.json", config.dump());  // written otherwise, and the same
  EXPECT_NE(sextant(words({"--count", "2"})).out.find("drawn before this run"), std::string::npos);
  config["diffusion"]["noise_schedule"] = "linear";
  write_atomically(folder_ / "m/config.json", config.dump());
  expect_one_line(sextant(words({"--count", "2"})), 2,
                  {"the settings (", "config.json) are not those that the images"});
  expect_one_line(sextant(words({"--count", "4"})), 2,
                  {"the settings (", "config.json) are not those that the images"});
}

TEST(Attributes, ReadFromAFileThatChangedAreRefused) {
  const TemporaryFolder folder;
  const auto drawn = [&](const std::string& answers) {
    write_atomically(folder / "a.csv", answers);
    return sextant({"sample", "--model", bundled("mnist-adm"), "--classifier", bundled("mnist-attributes"), "--labels",
                    "0-9", "--count", "2", "--steps", "2", "--attributes", folder / "a.csv", "--out", folder / "o"});
  };
  ASSERT_EQ(drawn("loop,thick\n1,0\n").exit_code, 0);
  EXPECT_EQ(drawn("loop,thick\n1,0\n").exit_code, 0);
  expect_one_line(drawn("loop,thick\n0,1\n"), 2, {"the answers (", "a.csv) are not those that the images"});
}

/// A model that draws digits but fives, of which images 5, 15, 25 and 35 are to be.
class BurstingModel : public ChangedModel {
 protected:
  BurstingModel() {
    change("label_emb.weight", [](const Tensor& rows) {
      const Tensor changed = rows.clone();
      changed[5] = 1e37;
      return changed;
    });
  }

  /// The images of a run, or nothing.
  Tensor images() const { return checkpoint::load_npz(folder_ / "o/samples.npz").at("arr_0"); }
};

TEST_F(BurstingModel, NamesStepAndImageAndDrawsTheOtherBatches) {
  const Outcome outcome = sextant(words());
  expect_one_line(outcome, 1,
                  {": images 4 to 5: ", "at step ", "sample 1 of the batch",
                   ". The same in images 14 to 15, images 24 to 25, images 34 to 35. 32 of 40 images are kept"});
  const Tensor kept = images();
  ASSERT_EQ(kept.size(0), 32);
  // Started again it tries what is missing, and says the same.
  expect_one_line(sextant(words()), 1, {"images 4 to 5: ", "32 of 40 images are kept"});
  ASSERT_EQ(sextant(twenty_batches(folder_ / "whole")).exit_code, 0);
  const Tensor whole = checkpoint::load_npz(folder_ / "whole/samples.npz").at("arr_0");
  EXPECT_TRUE(kept.slice(0, 0, 4).equal(whole.slice(0, 0, 4)));
  EXPECT_TRUE(kept.slice(0, 28, 32).equal(whole.slice(0, 36, 40)));
}

TEST_F(BurstingModel, EndsAtOnceWhereMostBatchesBurst) {
  expect_one_line(sextant(words({"--labels", "5"})), 1,
                  {": images 0 to 1: ", "in images 2 to 3, images 4 to 5, images 6 to 7 and 4 more. 0 of 40 images"});
  expect_one_line(sextant(words({"--labels", "5", "--shard", "1/2"})), 1,
                  {"share 1 of 2 on ", ", batch 0: ", "in batch 2, batch 4, batch 6 and 4 more. The other batches"});
}

TEST_F(BurstingModel, IsDrawnByRanksButForWhatBursts) {
  std::vector<std::unique_ptr<Program>> ranks;
  for (const int rank : {0, 1}) {
    const Rank environment(rank, 2);
    ranks.push_back(std::make_unique<Program>(words()));
  }
  int failed = 0;  // one may have found all of them given up by the other
  for (const auto& rank : ranks) {
    const Outcome outcome = rank->finish();
    if (outcome.exit_code != 0) expect_one_line(outcome, 1, {"batch"});
    failed += outcome.exit_code;
  }
  EXPECT_GE(failed, 1);
  EXPECT_EQ(batches_in(folder_ / "o"), 16);
}

TEST_F(BurstingModel, IsDrawnBySharesButForWhatBursts) {
  // Of five shares the third has all batches that burst: 2, 7, 12, 17.
  const std::vector<std::string> all = {"share 3 of 5 on ", ", batch 2: ", "in batch 7, batch 12, batch 17. The other"};
  expect_one_line(sextant(words({"--shard", "3/5"})), 1, all);
  expect_one_line(
      sextant(words({"--shard", "1/5"})), 1,
      {"batches 2, 7, 12, 17 in ", " burst, as the processes that tried them said; 32 of 40 images are kept"});
  EXPECT_EQ(batches_in(folder_ / "o"), 16);
  // Whoever has them in its share tries them again.
  expect_one_line(sextant(words({"--shard", "3/5"})), 1, all);
}

TEST_F(BurstingModel, IsDrawnOnWhereTheRunGrows) {
  EXPECT_EQ(sextant(words()).exit_code, 1);
  expect_one_line(sextant(words({"--count", "60"})), 1, {": images 4 to 5: ", "48 of 60 images are kept"});
}

}  // namespace
}  // namespace sextant::cli::testing
