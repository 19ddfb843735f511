// Classifiers of attributes from their data to the images that they steer.
#include "cli/train_fixture.h"

namespace sextant::cli::testing {
namespace {

using nlohmann::json;

/// Answers of 200 digits: whether each is below 5, and whether it is even.
fs::path answers(const TemporaryFolder& folder, const std::string& header = "small,even", int64_t lines = 200) {
  const Tensor labels = checkpoint::load_npz(digits()).at("arr_1");
  std::string text = header + "\n";
  for (int64_t i = 0; i < lines; ++i) {
    const auto label = labels[i].item<int64_t>();
    text += std::string(label < 5 ? "1" : "0") + (label % 2 == 0 ? ",1\n" : ",0\n");
  }
  write_atomically(folder / "answers.csv", text);
  return folder / "answers.csv";
}

Words attributes(const TemporaryFolder& folder, const fs::path& file, const Words& more = {}) {
  std::string text = read_file(recipe(folder));
  text.replace(text.find("num_classes = 10"), 16, "num_classes = 2");
  write_atomically(folder / "two.toml", text);
  Words words = {"train",      "--recipe",     (folder / "two.toml").string(),
                 "--data",     digits(),       "--out",
                 folder / "o", "--attributes", file.string()};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

TEST(TrainAttributes, MakesAClassifierThatSteersByName) {
  const TemporaryFolder folder;
  const Outcome trained =
      sextant(attributes(folder, answers(folder), {"--hold-out", "50", "--steps", "120", "--micro-batch", "10"}));
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  const json config = json::parse(read_file(folder / "o/config.json"));
  EXPECT_EQ(config["predicts"], "attributes");
  EXPECT_EQ(config["classes"], json({"small", "even"}));
  // Better than the 0.5 of guessing, on images that it has not seen.
  const std::string log = read_file(folder / "o/metrics.jsonl");
  const std::size_t last = log.rfind("\"validation\"");
  ASSERT_NE(last, std::string::npos);
  const std::size_t line = log.rfind('\n', last) + 1;
  const json numbers = json::parse(log.substr(line, log.find('\n', line) - line))["validation"];
  EXPECT_GT(numbers["accuracy"].get<double>(), 0.65) << numbers;
  const Outcome drawn = sextant({"sample", "--model", bundled("mnist-adm"), "--unconditional", "--classifier",
                                 folder / "o", "--attributes", "even=1,small=0", "--count", "2", "--steps", "2",
                                 "--threads", "1", "--out", folder / "drawn"});
  EXPECT_EQ(drawn.exit_code, 0) << drawn.err;
}

TEST(TrainAttributes, AreReadByFileNameToo) {
  const TemporaryFolder folder;
  const fs::path set = folder / "flat";
  fs::create_directories(set);
  for (int64_t i = 0; i < 8; ++i) {
    report::write_png(set / (std::to_string(i) + ".png"), at::full({28, 28, 1}, 30 * i, at::kByte));
  }
  std::string text = "image,bright,odd\n";
  for (int64_t i = 7; i >= 0; --i) {
    text += std::to_string(i) + ".png," + (i > 3 ? "1," : "-1,") + (i % 2 == 1 ? "1\n" : "\n");
  }
  write_atomically(folder / "by-name.csv", text);
  Words words = attributes(folder, folder / "by-name.csv", {"--steps", "2", "--batch", "4"});
  words[4] = set.string();
  const Outcome outcome = sextant(words);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  report::write_png(set / "8.png", at::full({28, 28, 1}, 9, at::kByte));
  words[6] = folder / "other";
  expect_refusal(sextant(words), 1, "has no line for " + (set / "8.png").string());
}

TEST(TrainAttributes, OfFilesOfOneNameAreToldApartByTheirFolders) {
  const TemporaryFolder folder;
  for (const char* name : {"0/a.png", "0/b.png", "1/a.png", "1/b.png"}) {
    fs::create_directories((folder / "classes" / name).parent_path());
    report::write_png(folder / "classes" / name, at::full({28, 28, 1}, name[0] == '0' ? 20 : 200, at::kByte));
  }
  write_atomically(folder / "whole.csv", "image,bright,even\n1/b.png,1,0\n1/a.png,1,0\n0/b.png,0,1\n0/a.png,0,1\n");
  Words words = attributes(folder, folder / "whole.csv", {"--steps", "2", "--batch", "4"});
  words[4] = (folder / "classes").string();
  const Outcome outcome = sextant(words);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  write_atomically(folder / "whole.csv", "image,bright,even\na.png,1,0\nb.png,1,0\n");
  words[6] = folder / "other";
  expect_refusal(sextant(words), 1, "is not clear; put folders before the names");
}

TEST(TrainAttributes, SayInOneLineWhatIsWrong) {
  const TemporaryFolder folder;
  expect_refusal(sextant(attributes(folder, answers(folder, "small,even", 199))), 1,
                 "has answers of 199 images, there are 200");
  expect_refusal(sextant(attributes(folder, answers(folder, "small,even,round"))), 2,
                 "line 2: has 2 cells for 3 names");
  Words many = attributes(folder, answers(folder));
  many[2] = recipe(folder);
  expect_refusal(sextant(many), 2, "names 2 attributes, the network has 10 outputs");
  expect_refusal(sextant(attributes(folder, answers(folder), {"--lambda", "1"})), 2, "lambda");
  expect_refusal(sextant(attributes(folder, answers(folder), {"--validation", digits()})), 2,
                 "--validation-attributes is needed");
}

TEST(TrainAttributes, AreNoneOfFinetunes) {
  const TemporaryFolder folder;
  const Outcome outcome = sextant({"finetune", "--model", bundled("mnist-attributes"), "--data", digits(), "--hold-out",
                                   "20", "--steps", "2", "--out", folder / "o"});
  expect_refusal(outcome, 2, "judges attributes");
}

}  // namespace
}  // namespace sextant::cli::testing
