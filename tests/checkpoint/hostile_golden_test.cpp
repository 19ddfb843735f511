// Damaged and malicious files: models/hostile/manifest.json.
#include <sys/resource.h>

#include <ctime>

#include "checkpoint/manifest.h"
#include "sextant/checkpoint/checkpoint.h"

namespace sextant::testing {

using namespace checkpoint;

namespace {

namespace fs = std::filesystem;

double peak_megabytes() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

class HostileGolden : public ::testing::TestWithParam<ManifestCase> {
 protected:
  void SetUp() override { fs::current_path(folder_.path()); }
  void TearDown() override { fs::current_path(before_); }

  const TemporaryFolder folder_;

 private:
  const fs::path before_ = fs::current_path();
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(HostileGolden);

TEST_P(HostileGolden, IsRefusedInOneClearLineOrLoadedAsTheManifestSays) {
  const auto& [path, entry] = GetParam();
  const std::string expect = entry.at("expect");
  const bool may_load = expect.rfind("load", 0) == 0 || entry.value("also_acceptable", "").rfind("load", 0) == 0;
  const double memory = peak_megabytes();
  const std::clock_t start = std::clock();
  try {
    const StateDict tensors = load(path).weights();
    EXPECT_TRUE(may_load) << "loaded in spite of: " << entry.at("wrong");
    const nlohmann::json expectations = entry.value("values", nlohmann::json::object());
    for (const auto& [name, rows] : expectations.items()) {
      const Tensor tensor = tensors.at(name).to(at::kDouble).contiguous();
      std::vector<double> expected;
      for (const auto& row : rows) expected.insert(expected.end(), row.begin(), row.end());
      ASSERT_EQ(tensor.numel(), static_cast<int64_t>(expected.size()));
      for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(tensor.data_ptr<double>()[i], expected[i]);
    }
  } catch (const CheckpointError& error) {
    EXPECT_EQ(expect, "reject") << error.what();
    expect_clear(error.what(), path);
  }
  EXPECT_LT(std::clock() - start, 5 * CLOCKS_PER_SEC);
  EXPECT_LT(peak_megabytes() - memory, 200);
  EXPECT_TRUE(fs::is_empty(folder_.path())) << "a file was written";
}

INSTANTIATE_TEST_SUITE_P(Manifest, HostileGolden, ::testing::ValuesIn(manifest_cases("models/hostile")), manifest_name);

}  // namespace
}  // namespace sextant::testing
