// The tables of `sextant sweep`: seeds, comparisons, the ledger.
#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>

#include "cli/sweep_fixture.h"
#include "internal/ledger/ledger.h"
#include "internal/runtime/text.h"

namespace sextant::cli::testing {
namespace {

TEST(SweepTable, HasMeanSpreadPairedDifferenceAndThePapersNumber) {
  const TemporaryFolder folder;
  const Outcome outcome = run_table(folder, table_text());
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("4 of 4 runs"), std::string::npos) << outcome.out;
  const json results = results_of(folder / "o");
  ASSERT_EQ(results.size(), 2);
  const json& plain = results[0]["metrics"]["fid"];
  const json& none = results[1]["metrics"]["fid"];
  ASSERT_EQ(plain["seeds"].size(), 2);
  const double a = plain["seeds"][0], b = plain["seeds"][1];
  EXPECT_NEAR(plain["mean"].get<double>(), (a + b) / 2, 1e-9);
  EXPECT_NEAR(plain["spread"].get<double>(), std::abs(a - b) / std::sqrt(2.0), 1e-9);
  EXPECT_EQ(plain["paper"], 100);
  EXPECT_FALSE(plain.contains("difference")) << "the baseline does not differ from itself";
  const json& difference = none["difference"];
  EXPECT_NEAR(difference["value"].get<double>(), none["mean"].get<double>() - plain["mean"].get<double>(), 1e-9);
  EXPECT_LT(difference["low"].get<double>(), difference["value"].get<double>());
  EXPECT_GT(difference["high"].get<double>(), difference["value"].get<double>());
  EXPECT_EQ(results[1]["metrics"]["accuracy"]["paper"], 0.1);
  const bool plain_is_best = plain["mean"].get<double>() < none["mean"].get<double>();
  EXPECT_EQ(plain["best"], plain_is_best);
  EXPECT_EQ(none["best"], !plain_is_best);
  const std::string markdown = read_file(folder / "o/table.md");
  EXPECT_NE(markdown.find("**"), std::string::npos);
  EXPECT_NE(markdown.find("±"), std::string::npos);
  EXPECT_NE(read_file(folder / "o/table.tex").find("\\textbf{"), std::string::npos);
}

/// The cells of each line of a table without quotes, the header first.
std::vector<std::vector<std::string>> cells_of(const std::string& csv) {
  std::vector<std::vector<std::string>> lines;
  for (const std::string& line : split(replaced(csv, "\r", ""), '\n')) {
    if (!line.empty()) lines.push_back(split(line, ','));
  }
  return lines;
}

TEST(SweepTable, IsOneNumberACellForPrograms) {
  const TemporaryFolder folder;
  const std::string lost = "[[rows]]\nname = \"lost\"\nclassifier.classifier = \"nowhere.pt\"\n";
  ASSERT_EQ(run_table(folder, table_text() + lost).exit_code, 1);
  const auto lines = cells_of(read_file(folder / "o/table.csv"));
  const json results = results_of(folder / "o");
  ASSERT_EQ(lines.size(), 4);
  const auto cell = [&](std::size_t line, const std::string& name) {
    EXPECT_EQ(std::count(lines[0].begin(), lines[0].end(), name), 1) << name;
    const auto at = std::find(lines[0].begin(), lines[0].end(), name) - lines[0].begin();
    return static_cast<std::size_t>(at) < lines[line].size() ? lines[line][static_cast<std::size_t>(at)] : "";
  };
  for (const std::string metric : {"fid", "accuracy"}) {
    for (const std::size_t line : {1, 2}) {
      const json& numbers = results[line - 1]["metrics"][metric];
      EXPECT_EQ(std::stod(cell(line, metric + "_mean")), numbers["mean"].get<double>());
      EXPECT_EQ(std::stod(cell(line, metric + "_spread")), numbers["spread"].get<double>());
    }
    const json& difference = results[1]["metrics"][metric]["difference"];
    EXPECT_EQ(cell(1, metric + "_difference"), "");
    EXPECT_EQ(std::stod(cell(2, metric + "_difference")), difference["value"].get<double>());
    EXPECT_EQ(std::stod(cell(2, metric + "_difference_low")), difference["low"].get<double>());
    EXPECT_EQ(std::stod(cell(2, metric + "_difference_high")), difference["high"].get<double>());
  }
  EXPECT_EQ(cell(1, "fid_paper"), "100");
  EXPECT_EQ(cell(2, "accuracy_paper"), "0.1");
  EXPECT_EQ(cell(1, "seeds") + cell(2, "seeds") + cell(3, "seeds"), "222");
  EXPECT_EQ(cell(1, "baseline") + cell(2, "baseline"), "truefalse");
  EXPECT_EQ(cell(3, "row"), "lost");
  EXPECT_EQ(cell(3, "fid_mean"), "");
  EXPECT_NE(cell(3, "failed").find("there is no nowhere.pt"), std::string::npos) << cell(3, "failed");
}

TEST(SweepTable, ScoresAsEvaluateDoes) {
  const TemporaryFolder folder;
  ASSERT_EQ(run_table(folder, table_text()).exit_code, 0);
  const Outcome outcome =
      sextant({"evaluate", folder / "o/plain/seed-5", "--features", bundled("mnist-features"), "--reference",
               bundled("mnist-features") + "/reference_train.npz", "--format", "json", "--threads", "1"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const json alone = json::parse(outcome.out)["metrics"];
  const json metrics = results_of(folder / "o")[0]["metrics"];
  EXPECT_EQ(metrics["fid"]["seeds"][1], alone["fid"]["value"]);
  EXPECT_EQ(metrics["accuracy"]["seeds"][1], alone["accuracy"]["value"]);
}

TEST(SweepTable, IsTheSameWithoutDrawingAgain) {
  const TemporaryFolder folder;
  ASSERT_EQ(run_table(folder, table_text()).exit_code, 0);
  const std::string table = read_file(folder / "o/table.md");
  const std::string samples = read_file(folder / "o/none/seed-3/samples.npz");
  fs::remove_all(folder / "o/none");
  const Outcome again = run_table(folder, table_text());
  EXPECT_NE(again.out.find("0 drawn now"), std::string::npos) << again.out;
  EXPECT_EQ(read_file(folder / "o/table.md"), table) << "what the ledger has needs no images";
}

TEST(SweepTable, ComparesImagesThatAnEarlierRunScored) {
  const TemporaryFolder whole, late;
  const std::string text =
      replaced(replaced(replaced(table_text(), "[3, 5]", "[3]"), "fid+accuracy", "accuracy"), "paper = ", "# ");
  ASSERT_EQ(run_table(whole, text).exit_code, 0);
  // As after a kill: the baseline's number is in the ledger, what was read of each image is not.
  ASSERT_EQ(run_table(late, text.substr(0, text.find("[[rows]]\nname = \"none\""))).exit_code, 0);
  ASSERT_EQ(run_table(late, text).exit_code, 0);
  const json difference = results_of(late / "o")[1]["metrics"]["accuracy"]["difference"];
  EXPECT_TRUE(difference.contains("low")) << difference;
  EXPECT_EQ(difference, results_of(whole / "o")[1]["metrics"]["accuracy"]["difference"]);
  EXPECT_EQ(read_file(late / "o/overview.png"), read_file(whole / "o/overview.png"));
}

TEST(SweepTable, GrowsWithoutDrawingAnyImageAgain) {
  const TemporaryFolder folder;
  const TemporaryFolder whole;
  ASSERT_EQ(run_table(folder, table_text()).exit_code, 0);
  ASSERT_EQ(run_table(folder, table_text(), {"--count", "30"}).exit_code, 0);
  ASSERT_EQ(run_table(whole, table_text(), {"--count", "30"}).exit_code, 0);
  EXPECT_EQ(read_file(folder / "o/plain/seed-3/samples.npz"), read_file(whole / "o/plain/seed-3/samples.npz"));
  EXPECT_EQ(results_of(folder / "o")[0]["metrics"]["fid"], results_of(whole / "o")[0]["metrics"]["fid"]);
  // The first twenty of the thirty are the twenty of before.
  const Outcome fewer = run_table(whole, table_text());
  EXPECT_NE(fewer.out.find("0 drawn now"), std::string::npos) << fewer.out << fewer.err;
  ASSERT_EQ(run_table(folder, table_text()).exit_code, 0);
  EXPECT_EQ(results_of(whole / "o")[0]["metrics"]["fid"], results_of(folder / "o")[0]["metrics"]["fid"]);
}

TEST(SweepTable, SharesImagesBetweenRowsThatAskForTheSame) {
  const TemporaryFolder folder;
  const Outcome outcome = run_table(
      folder, table_text() + "[[rows]]\nname = \"also none\"\nguidance.guidance = \"none\"\nguidance.scale = 7\n");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("6 of 6 runs"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("4 drawn now"), std::string::npos) << outcome.out;
  const json results = results_of(folder / "o");
  EXPECT_EQ(results[1]["runs"], results[2]["runs"]);
}

TEST(SweepTable, GoesOnAfterARunThatFails) {
  const TemporaryFolder folder;
  const Outcome outcome =
      run_table(folder, table_text() + "[[rows]]\nname = \"lost\"\nclassifier.classifier = \"" +
                            (folder / "nowhere.pt").string() + "\"\n[[rows]]\nname = \"last\"\nguidance.scale = 2\n");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.err.find("2 of 8 runs failed, the first: lost, seed 3: there is no "), std::string::npos)
      << outcome.err;
  EXPECT_NE(outcome.out.find("6 of 8 runs"), std::string::npos) << outcome.out;
  const std::string table = read_file(folder / "o/table.md");
  const auto marked = table.find("\n| lost (failed) |  |");
  EXPECT_NE(marked, std::string::npos) << table;
  EXPECT_EQ(table.find("(failed)", marked + 20), std::string::npos) << "one line for both seeds" << table;
  EXPECT_EQ(results_of(folder / "o").size(), 3);
  EXPECT_EQ(json::parse(read_file(folder / "o/run.json"))["failures"].size(), 2);
}

TEST(SweepTable, TellsOfCellsThatFailedInJson) {
  const TemporaryFolder folder;
  const Outcome outcome = run_table(folder,
                                    table_text() + "[[rows]]\nname = \"lost\"\nclassifier.classifier = \"" +
                                        (folder / "nowhere.pt").string() + "\"\n",
                                    {"--format", "json"});
  EXPECT_EQ(outcome.exit_code, 1);
  const json results = json::parse(outcome.out);
  ASSERT_EQ(results.size(), 3) << "one for both seeds";
  EXPECT_FALSE(results[0].contains("failed"));
  EXPECT_EQ(results[2]["row"], "lost");
  EXPECT_EQ(results[2]["column"], "");
  EXPECT_EQ(results[2]["seeds"], json({3, 5}));
  EXPECT_EQ(results[2]["failed"].get<std::string>().find("there is no "), 0) << results[2];
}

TEST(SweepTable, IsInTheLedgerByNameFromTheStartAndOutlivesPruning) {
  const TemporaryFolder folder;
  const TemporaryFolder whole;
  write_atomically(folder / "t.toml", table_text());
  const std::vector<std::string> words = {"sweep", folder / "t.toml", "--out", folder / "o", "--steps", "6"};
  Program program(words);
  ASSERT_TRUE(wait_for_first_batch(folder / "o/plain/seed-3"));
  const auto listed = [&](const std::vector<std::string>& more) {
    std::vector<std::string> runs = {"runs", folder / "o", "--format", "json"};
    runs.insert(runs.end(), more.begin(), more.end());
    const Outcome outcome = sextant(runs);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return json::parse(outcome.out);
  };
  EXPECT_EQ(listed({"--where", "row=none"}).size(), 2) << "rows that it has not begun";
  for (const char* prune : {"gone", "unused", "failed"}) EXPECT_EQ(listed({"--prune", prune}).size(), 4) << prune;
  {  // what even a claim does not keep from vanishing
    ledger::Ledger ledger(folder / "o/ledger.sqlite");
    for (const ledger::Run& run : ledger.runs()) ledger.remove(run.id);
  }
  const Outcome outcome = program.finish();
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("4 of 4 runs"), std::string::npos) << outcome.out;
  for (const char* row : {"row=plain", "row=none"}) EXPECT_EQ(listed({"--where", row}).size(), 2) << row;
  ASSERT_EQ(run_table(whole, table_text(), {"--steps", "6"}).exit_code, 0);
  for (const std::size_t line : {0, 1}) {
    EXPECT_EQ(results_of(folder / "o")[line]["metrics"], results_of(whole / "o")[line]["metrics"]);
  }
}

TEST(SweepTable, IsTheSameAfterKillsAtAnyMoment) {
  const TemporaryFolder folder;
  const TemporaryFolder whole;
  ASSERT_EQ(run_table(whole, table_text(), {"--steps", "6"}).exit_code, 0);
  write_atomically(folder / "t.toml", table_text());
  const std::vector<std::string> words = {"sweep", folder / "t.toml", "--out", folder / "o", "--steps", "6"};
  for (int i = 1; i <= 4; ++i) {
    Program program(words);
    std::this_thread::sleep_for(std::chrono::milliseconds(350 * i));
    program.signal(SIGKILL);
    program.finish();
  }
  const Outcome outcome = sextant(words);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  json finished = results_of(folder / "o");
  json expected = results_of(whole / "o");
  for (json* results : {&finished, &expected}) {
    for (json& result : *results) {
      result.erase("seconds_per_image");
      result.erase("runs");
    }
  }
  EXPECT_EQ(finished, expected);
  const Outcome again = sextant(words);
  EXPECT_NE(again.out.find("0 drawn now"), std::string::npos) << again.out;
}

TEST(SweepTable, IsMadeByTwoSweepsOnOneLedger) {
  const TemporaryFolder folder;
  write_atomically(folder / "t.toml", table_text());
  const auto words = [&](const std::string& out) {
    return std::vector<std::string>{"sweep", folder / "t.toml", "--out", folder / out, "--ledger", folder / "l.sqlite"};
  };
  Program one(words("one"));
  Program two(words("two"));
  const Outcome first = one.finish();
  const Outcome second = two.finish();
  ASSERT_EQ(first.exit_code, 0) << first.err;
  ASSERT_EQ(second.exit_code, 0) << second.err;
  const auto drawn = [](const Outcome& outcome) {
    const size_t at = outcome.out.find(" drawn now");
    return at == std::string::npos ? -1 : outcome.out[at - 1] - '0';
  };
  EXPECT_EQ(drawn(first) + drawn(second), 4) << "each of the four runs is drawn once";
  EXPECT_EQ(results_of(folder / "one")[1]["metrics"], results_of(folder / "two")[1]["metrics"]);
}

TEST(SweepLedger, OfANewerVersionIsRefusedInOneLine) {
  const TemporaryFolder folder;
  ASSERT_EQ(run_table(folder, table_text()).exit_code, 0);
  std::fstream ledger(folder / "o/ledger.sqlite", std::ios::in | std::ios::out | std::ios::binary);
  ledger.seekp(60);  // SQLite's user_version, big-endian
  ledger.write("\0\0\0\7", 4);
  ledger.close();
  const Outcome outcome = run_table(folder, table_text());
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.err.find("ledger.sqlite is of version 7, made by a newer sextant"), std::string::npos);
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
}

TEST(SweepTable, TakesNoImagesOfAnotherSettingThatWasDrawnOverThem) {
  const TemporaryFolder folder;
  const auto table = [&](const std::string& scale, const std::string& metrics, const std::vector<std::string>& more) {
    return run_table(folder,
                     replaced(table_text(), "\"fid+accuracy\"", "\"" + metrics + "\"") +
                         "[[rows]]\nname = \"strong\"\nguidance.scale = " + scale + "\n",
                     more);
  };
  ASSERT_EQ(table("3", "fid+accuracy", {}).exit_code, 0);
  const json first = results_of(folder / "o");
  ASSERT_EQ(table("-5", "fid+accuracy", {"--overwrite"}).exit_code, 0);
  const Outcome other = table("3", "fid+accuracy+precision", {});
  EXPECT_NE(other.exit_code, 0);
  EXPECT_NE(other.err.find("holds another run"), std::string::npos) << other.err;
  ASSERT_EQ(table("3", "fid+accuracy+precision", {"--overwrite"}).exit_code, 0);
  EXPECT_EQ(results_of(folder / "o")[2]["metrics"]["fid"]["mean"], first[2]["metrics"]["fid"]["mean"]);
}

}  // namespace
}  // namespace sextant::cli::testing
