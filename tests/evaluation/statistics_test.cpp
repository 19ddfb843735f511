// Statistics in .npz archives: those of math/npz/manifest.json, and closed cases.
#include <fstream>
#include <nlohmann/json.hpp>

#include "sextant/checkpoint/checkpoint.h"
#include "sextant/data/images.h"
#include "sextant/evaluation/evaluate.h"
#include "sextant/runtime/error.h"
#include "support/errors.h"
#include "support/files.h"
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

TEST(Statistics, AreFoundUnderTheNamesThatToolsGiveThem) {
  const TemporaryFolder folder;
  const Tensor mean = at::rand({3}, at::kDouble), covariance = at::eye(3, at::kDouble) * 2;
  const std::pair<const char*, const char*> names[] = {
      {"mu", "sigma"}, {"m", "s"}, {"mean", "cov"}, {"mean", "covariance"}, {"mean", "sigma"}};
  for (const auto& [m, s] : names) {
    checkpoint::save_npz(folder / "a.npz", {{m, mean}, {s, covariance}, {"num_images", at::full({}, 7, at::kLong)}});
    ASSERT_TRUE(has_statistics(folder / "a.npz")) << m;
    const Statistics read = read_statistics(folder / "a.npz");
    EXPECT_TRUE(at::equal(read.pool.mean, mean) && at::equal(read.pool.covariance, covariance)) << m;
    EXPECT_EQ(read.pool.count, 7) << m;
  }
  checkpoint::StateDict tensors;
  tensors.set("mu", mean);
  tensors.set("sigma", covariance);
  checkpoint::save_safetensors(folder / "a.safetensors", tensors);
  EXPECT_TRUE(at::equal(read_statistics(folder / "a.safetensors").pool.mean, mean));
}

TEST(Statistics, OfStoredFeaturesAreComputed) {
  const TemporaryFolder folder;
  const Tensor features = at::rand({9, 3});
  for (const char* name : {"pool_3", "features", "arr_0"}) {
    checkpoint::save_npz(folder / "a.npz", {{name, features}});
    ASSERT_TRUE(has_statistics(folder / "a.npz")) << name;
    const Statistics read = read_statistics(folder / "a.npz");
    // numpy.mean(axis=0) and numpy.cov(rowvar=False)
    const Tensor mean = features.to(at::kDouble).mean(0), centred = features.to(at::kDouble) - mean;
    EXPECT_TENSOR_NEAR(read.pool.mean, mean, (Tolerance{0, 1e-12}));
    EXPECT_TENSOR_NEAR(read.pool.covariance, centred.t().mm(centred) / 8, (Tolerance{0, 1e-12}));
    EXPECT_EQ(read.pool.count, 9);
    EXPECT_TRUE(at::equal(read.features, features));
    EXPECT_NE(read.note.find("holds features of 9 images"), std::string::npos) << read.note;
  }
  checkpoint::save_npz(folder / "a.npz", {{"pool_3", features.view({9, 3, 1, 1})}});
  EXPECT_EQ(read_statistics(folder / "a.npz").pool.mean.numel(), 3);
}

/// evaluation/statistics holds pickles that Python wrote: EDM2's of fid (4 features) and fd_dinov2 (6), StyleGAN's
/// sums.
TEST(Statistics, OfEdm2AreChosenByTheNetworksWidth) {
  for (const char* protocol : {"4", "5"}) {
    const fs::path path = source_dir() / ("tests/evaluation/statistics/edm2." + std::string(protocol) + ".pkl");
    ASSERT_TRUE(has_statistics(path));
    for (const int64_t dimensions : {0, 4}) {
      const Statistics fid = read_statistics(path, dimensions);
      EXPECT_TRUE(at::equal(fid.pool.mean, at::arange(4, at::kDouble) / 8)) << protocol;
      EXPECT_TRUE(at::equal(fid.pool.covariance, at::eye(4, at::kDouble) * 2)) << protocol;
      EXPECT_EQ(fid.pool.count, 50);
      EXPECT_NE(fid.note.find("fd_dinov2 (6 features an image), fid (4 features an image): those of fid are taken"),
                std::string::npos)
          << fid.note;
    }
    EXPECT_TRUE(at::equal(read_statistics(path, 6).pool.mean, at::arange(6, at::kDouble)));
    EXPECT_NE(message_of<DataError>([&] { read_statistics(path, 5); }).find("none could be of a network of 5"),
              std::string::npos);
  }
}

TEST(Statistics, OfStyleGanAreMeansOfItsSums) {
  // Eight images: sums 8 and 16, sums of products 24, 16, 40. Mean 1 and 2, covariance 3 - 1, 2 - 2, 5 - 4.
  const Statistics read = read_statistics(source_dir() / "tests/evaluation/statistics/stylegan.pkl");
  EXPECT_TRUE(at::equal(read.pool.mean, at::tensor({1.0, 2.0}, at::kDouble)));
  EXPECT_TRUE(at::equal(read.pool.covariance, at::tensor({2.0, 0.0, 0.0, 1.0}, at::kDouble).view({2, 2})));
  EXPECT_EQ(read.pool.count, 8);
}

TEST(Statistics, ThatAreNoneAreToldWithWhatIsThere) {
  const TemporaryFolder folder;
  checkpoint::save_npz(folder / "a.npz", {{"x_train", at::zeros({2, 4}, at::kByte)}, {"mean", at::zeros({3})}});
  ASSERT_TRUE(has_statistics(folder / "a.npz"));
  const std::string message = message_of<DataError>([&] { read_statistics(folder / "a.npz"); });
  EXPECT_NE(message.find("a reference is statistics ('mu' and 'sigma'"), std::string::npos) << message;
  EXPECT_NE(message.find("or images (arr_0"), std::string::npos) << message;
  EXPECT_NE(message.find("there is mean [3], x_train [2, 4]"), std::string::npos) << message;
  write_bytes(folder / "b.pkl",
              "\x80\x02"
              "cos\nsystem\n.");
  EXPECT_NE(message_of<DataError>([&] { read_statistics(folder / "b.pkl"); }).find("nothing was executed"),
            std::string::npos);
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
