#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>

#include "cli/program.h"
#include "sextant/checkpoint/checkpoint.h"

namespace sextant::cli::testing {
namespace {

using nlohmann::json;

class CalibrateCommand : public ::testing::Test {
 protected:
  CalibrateCommand() {
    const auto arrays = checkpoint::load_npz(sextant::testing::source_dir() / "tests/models/data/mnist_test_200.npz");
    checkpoint::save_npz(folder_ / "digits.npz",
                         {{"arr_0", arrays.at("arr_0").unsqueeze(3)}, {"arr_1", arrays.at("arr_1")}});
  }

  Outcome calibrate(const std::vector<std::string>& more) const {
    std::vector<std::string> words = {"calibrate",
                                      "--classifier",
                                      bundled("mnist-classifier-overconfident"),
                                      "--data",
                                      folder_ / "digits.npz",
                                      "--threads",
                                      "1",
                                      "--quiet"};
    words.insert(words.end(), more.begin(), more.end());
    return sextant(words);
  }

  const TemporaryFolder folder_;
};

TEST_F(CalibrateCommand, PrintsATable) {
  const Outcome outcome = calibrate({});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  for (const char* name :
       {"accuracy %", "ECE", "MCE", "classwise ECE", "Smooth ECE", "NLL", "Brier", "confidence", "entropy", "images"}) {
    EXPECT_NE(outcome.out.find(name), std::string::npos) << name << "\n" << outcome.out;
  }
  EXPECT_EQ(outcome.err, "note: ECE: 200 images in 15 bins, too few to tell miscalibration from chance\n");
}

TEST_F(CalibrateCommand, PrintsJsonThatItsRecordRepeats) {
  const Outcome first = calibrate({"--format", "json", "--count", "30", "--levels", "0.2", "--out", folder_ / "out"});
  ASSERT_EQ(first.exit_code, 0) << first.err;
  EXPECT_EQ(json::parse(first.out)["rows"][0]["count"], 30);
  const Outcome again = sextant({"calibrate", "--recipe", folder_ / "out/calibration.json"});
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(again.out, first.out);
}

TEST_F(CalibrateCommand, GoesOnWhereItWasKilled) {
  const std::vector<std::string> more = {"--model",  bundled("mnist-adm"), "--unconditional", "--count", "100",
                                         "--levels", "100,300,500",        "--format",        "csv"};
  const auto with_out = [&](const std::string& out) {
    std::vector<std::string> words = more;
    words.insert(words.end(), {"--out", folder_ / out});
    return words;
  };
  const Outcome whole = calibrate(with_out("whole"));
  ASSERT_EQ(whole.exit_code, 0) << whole.err;
  std::vector<std::string> words = {"calibrate", "--classifier",         bundled("mnist-classifier-overconfident"),
                                    "--data",    folder_ / "digits.npz", "--threads",
                                    "1"};
  for (const std::string& word : with_out("out")) words.push_back(word);
  Program program(words);
  while (program.runs() && !std::filesystem::exists(folder_ / "out/calibration.partial")) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  program.signal(SIGKILL);
  ASSERT_EQ(program.finish().exit_code, 128 + SIGKILL);
  const Outcome again = calibrate(with_out("out"));
  ASSERT_EQ(again.exit_code, 0) << again.err;
  EXPECT_NE(again.err.find("of 7 conditions were measured before"), std::string::npos) << again.err;
  EXPECT_EQ(again.out, whole.out);
}

TEST_F(CalibrateCommand, SavesAClassifierThatSampleTakes) {
  const Outcome fitted = calibrate({"--fit", "temperature", "--save", folder_ / "saved"});
  ASSERT_EQ(fitted.exit_code, 0) << fitted.err;
  EXPECT_EQ(fitted.out.rfind("temperature ", 0), 0u) << fitted.out;
  for (const char* classifier : {"calibrated", "as it was"}) {
    const bool calibrated = classifier == std::string("calibrated");
    const std::string path = calibrated ? (folder_ / "saved").string() : bundled("mnist-classifier-overconfident");
    const Outcome drawn = sextant(small_run(folder_ / classifier, {"--classifier", path}));
    ASSERT_EQ(drawn.exit_code, 0) << drawn.err;
  }
  EXPECT_FALSE(array_of(folder_ / "calibrated").equal(array_of(folder_ / "as it was")));
}

TEST_F(CalibrateCommand, FailsInOneLine) {
  struct Case {
    std::vector<std::string> words;
    int exit_code;
    std::string part;
  };
  std::ofstream(folder_ / "noise.png") << "no picture";
  for (const Case& bad :
       std::vector<Case>{{{"--data", folder_ / "none"}, 1, "does not exist"},
                         {{"--levels", "many"}, 2, "'many' is no number"},
                         {{"--levels", "1000", "--model", bundled("mnist-adm")}, 2, "is no timestep of"},
                         {{"--fit", "magic"}, 2, "magic"},
                         {{"--save", folder_ / "x"}, 2, "--save needs a --fit"},
                         {{"--classifier", folder_ / "noise.png"}, 1, "noise.png"}}) {
    const Outcome outcome = calibrate(bad.words);
    EXPECT_EQ(outcome.exit_code, bad.exit_code) << outcome.err;
    EXPECT_NE(outcome.err.find(bad.part), std::string::npos) << outcome.err;
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
    EXPECT_EQ(outcome.err.rfind("sextant calibrate: ", 0), 0u) << outcome.err;
    EXPECT_EQ(outcome.out, "");
  }
}

}  // namespace
}  // namespace sextant::cli::testing
