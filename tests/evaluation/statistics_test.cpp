// Statistics in .npz archives: those of math/npz/manifest.json, and closed cases.
#include <fstream>
#include <nlohmann/json.hpp>

#include "sextant/checkpoint/npz.h"
#include "sextant/data/images.h"
#include "sextant/evaluation/embed.h"
#include "sextant/runtime/error.h"
#include "support/errors.h"
#include "support/golden.h"

namespace sextant::evaluation {
namespace {

using namespace sextant::testing;
namespace fs = std::filesystem;

struct StatisticsCase {
  fs::path path;
  nlohmann::json entry;
};

void PrintTo(const StatisticsCase& one, std::ostream* out) { *out << one.path.filename(); }

std::vector<StatisticsCase> statistics_cases() {
  std::vector<StatisticsCase> cases;
  const fs::path folder = golden_dir() / "math/npz";
  std::ifstream manifest(folder / "manifest.json");
  if (!manifest) return cases;
  for (const auto& entry : nlohmann::json::parse(manifest)) {
    const fs::path path = folder / entry.at("file").get<std::string>();
    const bool statistics = entry.value("arrays", nlohmann::json::object()).contains("mu");
    if (fs::exists(path) && statistics) cases.push_back({path, entry});
  }
  return cases;
}

class StatisticsUse : public ::testing::TestWithParam<StatisticsCase> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(StatisticsUse);

TEST_P(StatisticsUse, GivesStatisticsOrRefusesClearly) {
  const auto& [path, entry] = GetParam();
  const std::string expect = entry.at("use");
  const nlohmann::json& arrays = entry.at("arrays");
  try {
    const Statistics statistics = read_statistics(path);
    EXPECT_TRUE(has_statistics(path));
    EXPECT_EQ(statistics.pool.mean.scalar_type(), at::kDouble);
    EXPECT_EQ(statistics.pool.covariance.size(0), statistics.pool.mean.size(0));
    EXPECT_EQ(statistics.spatial.has_value(), arrays.contains("mu_s"));
    if (arrays.contains("arr_0")) {
      const auto images = data::open_images(path);
      EXPECT_EQ(images->batch(0, images->size()).sizes().vec(),
                arrays.at("arr_0").at("shape").get<std::vector<int64_t>>());
    }
    EXPECT_NE(expect, "error") << entry.at("why");
  } catch (const DataError& error) {
    EXPECT_NE(expect, "ok") << error.what();
    EXPECT_EQ(std::string(error.what()).rfind(path.string(), 0), 0u) << error.what();
  }
}

INSTANTIATE_TEST_SUITE_P(Manifest, StatisticsUse, ::testing::ValuesIn(statistics_cases()), [](const auto& info) {
  std::string name = info.param.path.stem().string();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(Statistics, AreWidenedToFloat64) {
  const TemporaryFolder folder;
  checkpoint::save_npz(folder / "a.npz", {{"mu", at::ones({3})}, {"sigma", at::eye(3)}});
  const Statistics statistics = read_statistics(folder / "a.npz");
  EXPECT_TRUE(at::equal(statistics.pool.covariance, at::eye(3, at::kDouble)));
  EXPECT_EQ(statistics.pool.count, 0);
  EXPECT_FALSE(statistics.spatial.has_value());
}

TEST(Statistics, ThatAreMissingAreNamed) {
  const TemporaryFolder folder;
  checkpoint::save_npz(folder / "a.npz", {{"arr_0", at::zeros({2, 4, 4, 3}, at::kByte)}});
  EXPECT_FALSE(has_statistics(folder / "a.npz"));
  const std::string message = message_of<DataError>([&] { read_statistics(folder / "a.npz"); });
  EXPECT_EQ(message.rfind((folder / "a.npz").string(), 0), 0u) << message;
  EXPECT_NE(message.find("'mu'"), std::string::npos) << message;
}

TEST(Statistics, ComeBackAsTheyWereSaved) {
  const TemporaryFolder folder;
  Statistics saved;
  saved.pool = {at::rand({3}, at::kDouble), at::eye(3, at::kDouble), 12};
  saved.spatial = metrics::Gaussian{at::rand({2}, at::kDouble), at::eye(2, at::kDouble), 12};
  saved.extractor = "0123456789abcdef";
  saved.features = at::rand({12, 3});
  save_statistics(folder / "a.npz", saved);
  const Statistics read = read_statistics(folder / "a.npz");
  EXPECT_TRUE(at::equal(read.pool.mean, saved.pool.mean));
  EXPECT_EQ(read.pool.count, 12);
  EXPECT_TRUE(at::equal(read.spatial->covariance, saved.spatial->covariance));
  EXPECT_EQ(read.extractor, saved.extractor);
  EXPECT_TRUE(at::equal(read.features, saved.features));
}

}  // namespace
}  // namespace sextant::evaluation
