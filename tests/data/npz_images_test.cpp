// Samples in .npz archives: the column "use" of math/npz/manifest.json, and closed cases.
#include <fstream>

#include "data/encoders.h"
#include "sextant/checkpoint/checkpoint.h"
#include "sextant/data/images.h"
#include "support/golden.h"

namespace sextant::testing {
namespace {

namespace fs = std::filesystem;

struct NpzCase {
  fs::path path;
  nlohmann::json entry;
};

void PrintTo(const NpzCase& one, std::ostream* out) { *out << one.path.filename(); }

std::vector<NpzCase> npz_cases() {
  std::vector<NpzCase> cases;
  const fs::path folder = golden_dir() / "math/npz";
  std::ifstream manifest(folder / "manifest.json");
  if (!manifest) return cases;
  for (const auto& entry : nlohmann::json::parse(manifest)) {
    const fs::path path = folder / entry.at("file").get<std::string>();
    // Statistics are read by the evaluation.
    const bool statistics = entry.value("arrays", nlohmann::json::object()).contains("mu");
    if (fs::exists(path) && !statistics) cases.push_back({path, entry});
  }
  return cases;
}

class NpzUse : public ::testing::TestWithParam<NpzCase> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(NpzUse);

TEST_P(NpzUse, GivesImagesOrRefusesClearly) {
  const auto& [path, entry] = GetParam();
  const std::string expect = entry.at("use");
  const nlohmann::json arrays = entry.value("arrays", nlohmann::json::object());
  try {
    const auto images = data::open_images(path);
    if (arrays.contains("arr_0")) {
      const auto shape = arrays.at("arr_0").at("shape").get<std::vector<int64_t>>();
      EXPECT_EQ(images->batch(0, images->size()).sizes().vec(), shape);
    }
    EXPECT_EQ(images->labels().defined(), arrays.contains("arr_1"));
    EXPECT_NE(expect, "error") << entry.at("why");
  } catch (const DataError& error) {
    EXPECT_NE(expect, "ok") << error.what();
    EXPECT_EQ(std::string(error.what()).rfind(path.string(), 0), 0u) << error.what();
  }
}

INSTANTIATE_TEST_SUITE_P(Manifest, NpzUse, ::testing::ValuesIn(npz_cases()), [](const auto& info) {
  std::string name = info.param.path.stem().string();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(NpzImages, AreWhatWasSaved) {
  const TemporaryFolder folder;
  const Tensor images = at::randint(256, {5, 4, 6, 3}, at::kByte), labels = at::arange(5);
  checkpoint::save_npz(folder / "a.npz", {{"arr_0", images}, {"arr_1", labels}});
  const auto set = data::open_images(folder / "a.npz");
  EXPECT_TRUE(at::equal(set->batch(0, 5), images));
  EXPECT_TRUE(at::equal(set->image(2), images[2].permute({2, 0, 1})));
  EXPECT_TRUE(at::equal(set->labels(), labels));
  EXPECT_EQ(set->name(2), (folder / "a.npz").string() + " image 2");
  refusal(folder / "a.npz", [&] { set->batch(3, 3); });
  refusal(folder / "a.npz", [&] { set->image(-1); });
}

TEST(NpzImages, RefuseNegativeAndFractionalLabels) {
  const TemporaryFolder folder;
  const Tensor images = at::zeros({2, 4, 4, 3}, at::kByte);
  for (const Tensor& labels : {at::tensor({0, -1}), at::tensor({0.0, 1.0}), at::zeros({2, 1}, at::kLong)}) {
    checkpoint::save_npz(folder / "a.npz", {{"arr_0", images}, {"arr_1", labels}});
    refusal(folder / "a.npz", [&] { data::open_images(folder / "a.npz"); });
  }
}

}  // namespace
}  // namespace sextant::testing
