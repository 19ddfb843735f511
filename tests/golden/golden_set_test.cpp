// The reference vectors themselves: a folder that lost its files would leave the tests that walk it green.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "checkpoint/manifest.h"
#include "support/golden.h"

namespace sextant::testing {
namespace {

namespace fs = std::filesystem;

struct Family {
  const char* folder;
  const char* prefix;  ///< of the file names; of `kind` in models/
  std::size_t least;
};

// What the repository brings. A folder named by SEXTANT_GOLDEN_DIR may hold other numbers of each, but some of each.
constexpr Family kFamilies[] = {
    {"math/calibration", "", 14},
    {"math/calibration", "edges_", 5},
    {"math/gmm", "", 7},
    {"math/guidance", "", 83},
    {"math/metrics", "fid_", 15},
    {"math/metrics", "inception_score_", 4},
    {"math/metrics", "kid_", 4},
    {"math/metrics", "precision_recall_", 11},
    {"math/metrics", "sfid_", 1},
    {"math/samplers", "cfg_formula", 1},
    {"math/samplers", "ddim_", 7},
    {"math/samplers", "ddpm_", 6},
    {"math/samplers", "dit_cfg_", 3},
    {"math/samplers", "edm_ablation_", 5},
    {"math/samplers", "edm_guided", 4},
    {"math/samplers", "edm_heun", 2},
    {"math/samplers", "edm_loss", 1},
    {"math/samplers", "eds_", 4},
    {"math/samplers", "elucd_", 13},
    {"math/samplers", "gmm_", 6},
    {"math/samplers", "pmv_", 24},
    {"math/samplers", "q_sample_posterior", 1},
    {"math/samplers", "softplus", 1},
    {"math/samplers", "to_uint8", 1},
    {"math/samplers", "training_loss_", 6},
    {"math/schedules", "ablation_", 24},
    {"math/schedules", "cosine_", 4},
    {"math/schedules", "edm_steps_", 7},
    {"math/schedules", "linear_", 4},
    {"math/schedules", "spaced_", 19},
    {"math/schedules", "spaced_errors", 1},
};
constexpr Family kNetworks[] = {
    {"models", "adm_unet", 3},
    {"models", "adm_classifier", 3},
    {"models", "adm_flags", 1},
    {"models", "adm_classifier_flags", 1},
    {"models", "dit", 1},
    {"models", "edm", 4},
    {"models", "fill", 1},
    {"models", "torchvision_convnext", 1},
    {"models", "torchvision_densenet", 1},
    {"models", "torchvision_resnet", 3},
    {"models", "torchvision_vit", 1},
};

// What only the repository brings.
constexpr Family kOwn[] = {{"math/training", "adm_hybrid_", 2}, {"math/training", "noisy_classifier", 1}};

bool is_default() { return golden_dir() == source_dir() / "tests/golden"; }
std::size_t least(const Family& family) { return is_default() ? family.least : 1; }

TEST(GoldenSet, HasEveryFamilyOfFormulas) {
  for (const Family& family : kFamilies) {
    EXPECT_GE(golden_files(family.folder, family.prefix).size(), least(family))
        << family.folder << "/" << family.prefix;
  }
}

/// Of these families a test reads each file: one of another name would be passed over in silence.
TEST(GoldenSet, HasNoFormulasBesideTheFamilies) {
  for (const char* folder : {"math/calibration", "math/gmm", "math/guidance", "math/metrics", "math/samplers",
                             "math/schedules", "math/training"}) {
    for (const fs::path& path : golden_files(folder)) {
      const auto holds = [&](const Family& family) {
        return family.folder == std::string(folder) && path.filename().string().starts_with(family.prefix);
      };
      EXPECT_TRUE(std::any_of(std::begin(kFamilies), std::end(kFamilies), holds) ||
                  std::any_of(std::begin(kOwn), std::end(kOwn), holds))
          << path << " is read by no test";
    }
  }
}

TEST(GoldenSet, HasTheTrainingSteps) {
  if (!is_default()) GTEST_SKIP() << "another folder need not have them";
  for (const Family& family : kOwn) {
    EXPECT_GE(golden_files(family.folder, family.prefix).size(), family.least) << family.folder << "/" << family.prefix;
  }
}

TEST(GoldenSet, HasArchivesAndTokens) {
  std::ifstream archives(golden_dir() / "math/npz/manifest.json");
  ASSERT_TRUE(archives) << golden_dir() / "math/npz/manifest.json";
  EXPECT_GE(nlohmann::json::parse(archives).size(), is_default() ? 50u : 1u);
  EXPECT_TRUE(fs::exists(golden_dir() / "models/clip_tokens.json"));
}

TEST(GoldenSet, HasEveryFamilyOfNetworks) {
  for (const Family& family : kNetworks) {
    EXPECT_GE(golden_files_of_kind(family.prefix).size(), least(family)) << family.folder << " " << family.prefix;
  }
}

TEST(GoldenSet, HasCheckpointsAndHostileFiles) {
  EXPECT_GE(manifest_cases("models/checkpoints").size(), is_default() ? 5u : 1u);
  EXPECT_GE(manifest_cases("models/hostile").size(), is_default() ? 33u : 1u);
}

TEST(GoldenSet, NamesTheFolderThatIsNotThere) {
  EXPECT_EQ(why_not_golden("/nowhere/at/all"),
            "SEXTANT_GOLDEN_DIR is /nowhere/at/all, which has no folders math and models; name the folder of the "
            "reference vectors or unset it");
  EXPECT_EQ(why_not_golden(golden_dir()), "");
}

}  // namespace
}  // namespace sextant::testing
