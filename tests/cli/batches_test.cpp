// An image is the same whatever it is drawn with, by whatever threads and processes: every byte of a run's file.
#include <cstdlib>
#include <memory>

#include "cli/program.h"
#include "internal/runtime/files.h"

namespace sextant::cli::testing {
namespace {

namespace fs = std::filesystem;

constexpr const char* kImages = "9";

std::string drawn(const fs::path& out, const std::vector<std::string>& method, const char* batch, const char* threads) {
  std::vector<std::string> words = {
      "sample",  "--model", bundled("mnist-adm"), "--labels", "0-9", "--count", kImages, "--steps", "3", "--out", out,
      "--batch", batch,     "--threads",          threads};
  words.insert(words.end(), method.begin(), method.end());
  const Outcome outcome = sextant(words);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  return read_file(out / "samples.npz");
}

struct Method {
  std::string name;
  std::vector<std::string> words;
};

std::vector<Method> methods() {
  const std::string classifier = bundled("mnist-classifier"), noisy = bundled("mnist-noisy-classifier");
  return {{"Plain", {"--classifier", classifier}},
          {"JensenShannon", {"--classifier", classifier, "--guidance", "js+entropy", "--softplus-beta", "3"}},
          {"OfNoisyImages", {"--classifier", noisy, "--guidance-input", "xt", "--sampler", "ddim"}},
          {"ClassifierFree", {"--cfg-scale", "2", "--sampler", "dpmpp-2m"}},
          {"InBfloat16", {"--cfg-scale", "2", "--precision", "bf16"}},
          {"GuidedInBfloat16", {"--classifier", classifier, "--guidance", "js", "--precision", "bf16"}}};
}

class AnyBatch : public ::testing::TestWithParam<Method> {};

TEST_P(AnyBatch, AndAnyNumberOfThreadsGiveTheSameBytes) {
  const TemporaryFolder folder;
  const auto& method = GetParam().words;
  const std::string expected = drawn(folder / "1-1", method, "1", "1");
  EXPECT_EQ(drawn(folder / "7-1", method, "7", "1"), expected);
  EXPECT_EQ(drawn(folder / "64-1", method, "64", "1"), expected);
  EXPECT_EQ(drawn(folder / "1-2", method, "1", "2"), expected);
  EXPECT_EQ(drawn(folder / "7-2", method, "7", "2"), expected);
}

INSTANTIATE_TEST_SUITE_P(OfDigits, AnyBatch, ::testing::ValuesIn(methods()),
                         [](const auto& info) { return info.param.name; });

TEST(AnyBatch, ThatHoldsWholeGroupsGivesTheSameTiltedImages) {
  const TemporaryFolder folder;
  const std::vector<std::string> tilted = {
      "--classifier", bundled("mnist-classifier"), "--tilt", "-0.5", "--tilt-group", "3"};
  const std::string expected = drawn(folder / "3", tilted, "3", "1");
  EXPECT_EQ(drawn(folder / "6", tilted, "6", "2"), expected);
  EXPECT_EQ(drawn(folder / "9", tilted, "9", "1"), expected);
}

TEST(AnyBatch, OfTwoProcessesGivesTheSameBytes) {
  const TemporaryFolder folder;
  const std::vector<std::string> plain = {"--classifier", bundled("mnist-classifier")};
  const std::string expected = drawn(folder / "one", plain, "1", "1");
  std::vector<std::string> words = {
      "sample", "--model", bundled("mnist-adm"), "--labels", "0-9", "--count",   kImages, "--steps",
      "3",      "--out",   folder / "two",       "--batch",  "4",   "--threads", "1"};
  words.insert(words.end(), plain.begin(), plain.end());
  setenv("WORLD_SIZE", "2", 1);
  std::vector<std::unique_ptr<Program>> ranks;
  for (const char* rank : {"0", "1"}) {
    setenv("RANK", rank, 1);
    ranks.push_back(std::make_unique<Program>(words));
  }
  unsetenv("RANK");
  unsetenv("WORLD_SIZE");
  for (const auto& rank : ranks) EXPECT_EQ(rank->finish().exit_code, 0);
  EXPECT_EQ(read_file(folder / "two/samples.npz"), expected);
}

}  // namespace
}  // namespace sextant::cli::testing
