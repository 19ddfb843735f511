// Every container in use, from the same weights: models/checkpoints/manifest.json.
#include "checkpoint/manifest.h"
#include "sextant/checkpoint/checkpoint.h"

namespace sextant::testing {

using namespace checkpoint;

namespace {

namespace fs = std::filesystem;

void expect_same(const Tensor& actual, const Tensor& expected, const std::string& name) {
  EXPECT_EQ(actual.scalar_type(), expected.scalar_type()) << name;
  EXPECT_TRUE(actual.sizes() == expected.sizes() && at::equal(actual, expected)) << name;
}

/// The manifest's entries that have `key`; all of them for "".
std::vector<ManifestCase> cases_with(const std::string& key) {
  std::vector<ManifestCase> cases = manifest_cases("models/checkpoints");
  std::erase_if(cases, [&](const ManifestCase& one) { return !key.empty() && !one.entry.contains(key); });
  return cases;
}

class CheckpointGolden : public ::testing::TestWithParam<ManifestCase> {};
class CheckpointWithValues : public CheckpointGolden {};
class CheckpointOfANetwork : public CheckpointGolden {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(CheckpointGolden);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(CheckpointWithValues);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(CheckpointOfANetwork);

TEST_P(CheckpointWithValues, HoldsTheTensorsOfTheManifest) {
  const Golden values(GetParam().path.parent_path() / "values.safetensors");
  const std::string prefix = GetParam().path.filename().string() + "/";
  const Checkpoint checkpoint = load(GetParam().path);
  std::size_t count = 0;
  for (const auto& [name, expected] : values.file().tensors) {
    if (name.rfind(prefix, 0) != 0) continue;
    ++count;
    const std::string key = name.substr(prefix.size());
    ASSERT_TRUE(checkpoint.tensors.contains(key)) << "'" << key << "'";
    expect_same(checkpoint.tensors.at(key), expected, key);
  }
  EXPECT_GT(count, 0u);
}

TEST_P(CheckpointOfANetwork, GivesTheSameWeightsInEveryContainer) {
  const StateDict weights = load(GetParam().path).weights();
  EXPECT_FALSE(weights.empty());
  for (const ManifestCase& other : manifest_cases("models/checkpoints")) {
    if (other.entry.value("gives", "") != GetParam().entry.at("gives").get<std::string>()) continue;
    const StateDict same = load(other.path).weights();
    EXPECT_EQ(same.size(), weights.size()) << other.path;
    for (const auto& [name, tensor] : same) expect_same(weights.at(name), tensor, name);
  }
}

TEST_P(CheckpointOfANetwork, HoldsTheWeightsOfTheForwardPassItGives) {
  const StateDict weights = load(GetParam().path).weights();
  const Golden forward(GetParam().path.parent_path() / GetParam().entry.at("gives").get<std::string>());
  if (forward.metadata("state_dict").empty()) GTEST_SKIP() << "this file is judged by its network alone";
  for (const auto& [name, expected] : forward.weights()) {
    expect_same(weights.at(name), expected, name);
  }
}

TEST_P(CheckpointGolden, LoadsTheSameTwiceAndOutlivesItsFile) {
  const TemporaryFolder folder;
  const fs::path copy = folder / GetParam().path.filename().string();
  fs::copy_file(GetParam().path, copy);
  const Checkpoint from_copy = load(copy);
  fs::remove(copy);
  const Checkpoint again = load(GetParam().path);
  ASSERT_EQ(from_copy.tensors.names(), again.tensors.names());
  for (const auto& [name, tensor] : again.tensors) expect_same(from_copy.tensors.at(name), tensor, name);
}

TEST_P(CheckpointGolden, SurvivesBeingSavedAsSafetensors) {
  const TemporaryFolder folder;
  const Checkpoint original = load(GetParam().path);
  save_safetensors(folder / "copy.safetensors", original.tensors, {{"note", "é \"quoted\"\n"}});
  const Checkpoint copy = load(folder / "copy.safetensors");
  EXPECT_EQ(copy.tensors.names(), original.tensors.names());
  for (const auto& [name, tensor] : original.tensors) expect_same(copy.tensors.at(name), tensor, name);
  EXPECT_EQ(copy.metadata.at("note"), "é \"quoted\"\n");
}

INSTANTIATE_TEST_SUITE_P(Manifest, CheckpointGolden, ::testing::ValuesIn(cases_with("")), manifest_name);
INSTANTIATE_TEST_SUITE_P(Manifest, CheckpointWithValues, ::testing::ValuesIn(cases_with("values")), manifest_name);
INSTANTIATE_TEST_SUITE_P(Manifest, CheckpointOfANetwork, ::testing::ValuesIn(cases_with("gives")), manifest_name);

/// The file of the manifest called `name`, or a skip.
fs::path golden_checkpoint(const std::string& name) { return golden_dir() / "models/checkpoints" / name; }

#define REQUIRE_GOLDEN(path) \
  if (!fs::exists(path)) GTEST_SKIP() << "no " << (path).filename() << " in this set"

TEST(Checkpoint, ExposesTheConstructorArgumentsOfAnEdmNetwork) {
  for (const char* name : {"edm_protocol3.pkl", "edm_protocol4.pkl"}) {
    const fs::path path = golden_checkpoint(name);
    REQUIRE_GOLDEN(path);
    const Golden forward(golden_checkpoint("edm_forward.safetensors"));
    const nlohmann::json ema = load(path).config.at("ema");
    EXPECT_EQ(ema.at("class_name"), forward.config().at("precond"));
    for (const auto& [key, value] : ema.at("init_kwargs").items()) {
      EXPECT_EQ(forward.config().value(key, value), value) << key;
    }
    EXPECT_TRUE(ema.at("init_kwargs").contains("img_resolution"));
  }
}

TEST(Checkpoint, ExposesTheOptionsOfATrainingRun) {
  for (const char* name : {"training_state.pt", "training_state_legacy.pt"}) {
    const fs::path path = golden_checkpoint(name);
    REQUIRE_GOLDEN(path);
    const Checkpoint checkpoint = load(path);
    EXPECT_TRUE(checkpoint.config.at("args").is_object());
    EXPECT_TRUE(checkpoint.config.at("args").contains("image_size"));
    const auto& groups = checkpoint.groups;
    EXPECT_NE(std::find(groups.begin(), groups.end(), "ema"), groups.end());
  }
}

TEST(Checkpoint, TakesTheMovingAverageBeforeTheModelOfATrainingRun) {
  const fs::path path = golden_checkpoint("training_state.pt");
  REQUIRE_GOLDEN(path);
  const Checkpoint all = load(path);
  for (const auto& [name, tensor] : load(path).weights()) expect_same(tensor, all.tensors.at("ema." + name), name);
}

TEST(Checkpoint, KeepsTiedTensorsTied) {
  for (const char* name : {"views_zip.pt", "views_legacy.pt"}) {
    const fs::path path = golden_checkpoint(name);
    REQUIRE_GOLDEN(path);
    const StateDict tensors = load(path).tensors;
    if (!tensors.contains("tied_a")) GTEST_SKIP() << "no tied tensors in this file";
    EXPECT_EQ(tensors.at("tied_a").data_ptr(), tensors.at("tied_b").data_ptr());
  }
}

TEST(Checkpoint, IsWritableWithoutChangingTheFile) {
  const fs::path path = golden_checkpoint("adm.safetensors");
  REQUIRE_GOLDEN(path);
  const std::string before = read_bytes(path);
  Checkpoint checkpoint = load(path);
  for (const auto& [name, tensor] : checkpoint.tensors) Tensor(tensor).zero_();
  EXPECT_EQ(read_bytes(path), before);
}

}  // namespace
}  // namespace sextant::testing
