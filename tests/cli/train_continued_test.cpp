// Whether what lies in --out is this training: the same images, the same first weights.
#include <nlohmann/json.hpp>

#include "cli/train_fixture.h"
#include "internal/training/snapshots.h"

namespace sextant::cli::testing {
namespace {

using nlohmann::json;

json read_json(const fs::path& path) { return json::parse(read_file(path)); }

/// digits() as a file of the test's own, inverted if asked.
std::string own_digits(const TemporaryFolder& folder, bool inverted) {
  const fs::path path = folder / "own.npz";
  auto stored = checkpoint::load_npz(digits());
  const Tensor images = stored.at("arr_0").clone(), labels = stored.at("arr_1").clone();
  checkpoint::save_npz(path, {{"arr_0", inverted ? 255 - images : images}, {"arr_1", labels}});
  return path;
}

/// As after a crash between the last two snapshots.
void break_off(const fs::path& out) {
  fs::remove(out / "run.json");
  fs::remove(out / "model.safetensors");
  std::vector<fs::path> snapshots;
  for (const auto& entry : fs::directory_iterator(out / "checkpoints")) {
    if (entry.path().filename().string().starts_with("step-")) snapshots.push_back(entry.path());
  }
  ASSERT_EQ(snapshots.size(), 2u);
  fs::remove(std::max(snapshots[0], snapshots[1]));
}

TEST(TrainContinues, OnNoOtherImages) {
  const TemporaryFolder folder;
  const std::string data = own_digits(folder, false);
  const auto train = [&](const Words& more) {
    Words words = tiny(folder, "o", {"--data", data, "--steps", "8"});
    words.insert(words.end(), more.begin(), more.end());
    return sextant(words);
  };
  ASSERT_EQ(train({}).exit_code, 0);
  own_digits(folder, true);
  expect_refusal(train({}), 2, "[data] content is \"xxh3-128:");
  break_off(folder / "o");
  expect_refusal(train({}), 2, "[data] content is \"xxh3-128:");
  own_digits(folder, false);
  const Outcome outcome = train({});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
}

TEST(TrainContinues, OnNoOtherImagesOfAFolder) {
  const TemporaryFolder folder;
  const fs::path set = class_folders(folder);
  ASSERT_EQ(sextant(on(folder, set)).exit_code, 0);
  report::write_png(set / "1/3.png", at::full({28, 28, 1}, 7, at::kByte));
  expect_refusal(sextant(on(folder, set)), 2, "[data] content is \"xxh3-128:");
}

TEST(TrainContinues, FromNoOtherFirstWeights) {
  const TemporaryFolder folder;
  ASSERT_EQ(sextant(tiny(folder, "first", {"--steps", "2"})).exit_code, 0);
  ASSERT_EQ(sextant(tiny(folder, "other", {"--steps", "2", "--seed", "9"})).exit_code, 0);
  const Words words = tiny(folder, "o", {"--steps", "8", "--init", folder / "first"});
  ASSERT_EQ(sextant(words).exit_code, 0);
  fs::copy_file(folder / "other/model.safetensors", folder / "first/model.safetensors",
                fs::copy_options::overwrite_existing);
  expect_refusal(sextant(words), 2, "[weights] start is \"xxh3-128:");
  break_off(folder / "o");
  expect_refusal(sextant(words), 2, "[weights] start is \"xxh3-128:");
}

TEST(TrainContinues, WhatAVersionWithoutHashesBegan) {
  const TemporaryFolder folder;
  ASSERT_EQ(sextant(tiny(folder, "first", {"--steps", "2"})).exit_code, 0);
  const Words words = tiny(folder, "o", {"--steps", "8", "--init", folder / "first"});
  ASSERT_EQ(sextant(words).exit_code, 0);
  const std::string whole = read_file(folder / "o/model.safetensors");
  json record = read_json(folder / "o/run.json");
  const auto forget = [](json& identity) {
    identity.erase("weights");
    identity["data"] = {{"images", identity["data"]["images"]}};
  };
  forget(record["identity"]);
  write_atomically(folder / "o/run.json", record.dump());
  EXPECT_NE(sextant(words).out.find("(trained before this run)"), std::string::npos);
  break_off(folder / "o");
  const training::Snapshots snapshots(folder / "o/checkpoints");
  training::Snapshot snapshot = *snapshots.newest();
  ASSERT_LT(snapshot.step, 8);
  forget(snapshot.facts["identity"]);
  snapshot.facts.erase("unlogged");
  snapshots.save(snapshot);
  const Outcome outcome = sextant(words);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(read_file(folder / "o/model.safetensors"), whole);
  // Other settings are still another training.
  Words others = words;
  others.insert(others.end(), {"--seed", "5"});
  expect_refusal(sextant(others), 2, "[train] seed is 0 there and 5 here");
}

}  // namespace
}  // namespace sextant::cli::testing
