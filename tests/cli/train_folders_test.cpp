// Trainings that replace another, and trainings on folders of images.
#include <map>
#include <nlohmann/json.hpp>

#include "cli/train_fixture.h"

namespace sextant::cli::testing {
namespace {

/// All files of a folder with their bytes.
std::map<std::string, std::string> contents(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files[entry.path().lexically_relative(folder)] = read_file(entry.path());
  }
  return files;
}

TEST(TrainOverwrites, NothingBeforeItsFirstCheckpointIsSafe) {
  const TemporaryFolder folder;
  ASSERT_EQ(sextant(tiny(folder, "o")).exit_code, 0);
  const auto before = contents(folder / "o");
  std::ofstream(folder / "no.npz") << "no images";
  const std::vector<Words> faults = {{"--data", folder / "nothing"},       {"--data", folder / "no.npz"},
                                     {"--init", folder / "nothing"},       {"--image-crop", "0", "--hold-out", "900"},
                                     {"--validation", folder / "nothing"}, {"--lr", "10", "--batch", "0"}};
  for (const Words& fault : faults) {
    Words words = tiny(folder, "o", {"--seed", "5", "--overwrite"});
    words.insert(words.end(), fault.begin(), fault.end());
    EXPECT_NE(sextant(words).exit_code, 0) << fault[0] << " " << fault[1];
    EXPECT_EQ(contents(folder / "o"), before) << fault[0] << " " << fault[1];
  }
  // A disk that is full before the first checkpoint.
  EXPECT_EQ(Program(tiny(folder, "o", {"--seed", "5", "--overwrite"}), 20000).finish().exit_code, 1);
  auto after = contents(folder / "o");
  std::erase_if(after, [](const auto& file) { return file.first.find(".new") != std::string::npos; });
  EXPECT_EQ(after, before);
}

TEST(TrainOverwrites, AnotherTrainingAsIfItHadNotBeen) {
  const TemporaryFolder folder;
  ASSERT_EQ(sextant(tiny(folder, "o")).exit_code, 0);
  ASSERT_EQ(sextant(tiny(folder, "o", {"--seed", "5", "--overwrite"})).exit_code, 0);
  ASSERT_EQ(sextant(tiny(folder, "fresh", {"--seed", "5"})).exit_code, 0);
  const auto replaced = contents(folder / "o"), fresh = contents(folder / "fresh");
  for (const char* name : {"model.safetensors", "config.json"}) EXPECT_EQ(replaced.at(name), fresh.at(name)) << name;
  for (const auto& [name, bytes] : replaced) EXPECT_EQ(fresh.count(name), 1u) << name;
  const auto lines = [](const std::string& text) { return std::count(text.begin(), text.end(), '\n'); };
  EXPECT_EQ(lines(replaced.at("metrics.jsonl")), lines(fresh.at("metrics.jsonl")));
}

TEST(TrainFolders, AreReadWithoutWhatCannotBeReadWhereAskedFor) {
  const TemporaryFolder folder;
  const fs::path set = class_folders(folder);
  std::ofstream(set / "1/9.png") << "no picture";
  Words words = on(folder, set);
  words.insert(words.end(), {"--skip-bad"});
  const Outcome outcome = sextant(words);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(outcome.err.find("1 of 7 images cannot be read and are left out, the first " + (set / "1/9.png").string()),
            std::string::npos)
      << outcome.err;
  const auto config = nlohmann::json::parse(read_file(folder / "o/config.json"));
  EXPECT_NE(config["training"].get<std::string>().find("6 images"), std::string::npos);
}

TEST(TrainFolders, OfNamesAreSavedWithTheModelAndFoundAgain) {
  const TemporaryFolder folder;
  const std::vector<std::string> names = {"ant", "bee", "cat", "dog", "elk", "fox", "gnu", "hen", "ibis", "jay"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    fs::create_directories(folder / "set" / names[i]);
    report::write_png(folder / "set" / names[i] / "1.png", at::full({28, 28, 1}, 20 * static_cast<int>(i), at::kByte));
  }
  const Outcome outcome = sextant(on(folder, folder / "set"));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(outcome.err.find("0 ant, 1 bee, 2 cat"), std::string::npos) << outcome.err;
  EXPECT_EQ(nlohmann::json::parse(read_file(folder / "o/config.json"))["classes"], names);
  // A subset of other spelling is measured by the saved names, which are sure: accuracy is not left out.
  fs::create_directories(folder / "few");
  fs::copy(folder / "set/dog", folder / "few/Dog", fs::copy_options::recursive);
  fs::copy(folder / "set/jay", folder / "few/JAY_", fs::copy_options::recursive);
  const Outcome measured =
      sextant({"calibrate", "--classifier", folder / "o", "--data", folder / "few", "--threads", "1"});
  EXPECT_EQ(measured.exit_code, 0) << measured.err;
  EXPECT_NE(measured.err.find("3 Dog, 9 JAY_ (names of the network's classes)"), std::string::npos) << measured.err;
}

TEST(TrainFolders, OfSeveralSizesNeedOneSize) {
  const TemporaryFolder folder;
  const fs::path set = class_folders(folder);
  report::write_png(set / "1/9.png", at::zeros({40, 60, 1}, at::kByte));
  Words words = on(folder, set);
  words.insert(words.end(), {"--image-size", "32", "--image-crop", "28"});
  EXPECT_EQ(sextant(words).exit_code, 0);
}

TEST(TrainRefuses, ACropThatTheNetworkDoesNotTake) {
  const TemporaryFolder folder;
  expect_refusal(sextant({"train", "--model", bundled("mnist-adm"), "--data", digits(), "--steps", "1", "--image-crop",
                          "24", "--out", folder / "o"}),
                 2, "--image-crop 24: the network takes images of 28x28");
}

}  // namespace
}  // namespace sextant::cli::testing
