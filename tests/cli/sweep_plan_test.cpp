// What `sextant sweep` says before it draws: axes, dry runs, recipes that contradict themselves.
#include "cli/sweep_fixture.h"
#include "internal/runtime/text.h"

namespace sextant::cli::testing {
namespace {

TEST(SweepAxes, AreMultipliedAndNamed) {
  const TemporaryFolder folder;
  std::string text = "[sweep]\naxes = {alpha = [0.05, 0.1], epsilon = [0.1, 0.2]}\n" + table_text().substr(8);
  for (const char* paper : {"paper = 100\n", "paper = {fid = 200, accuracy = 0.1}\n"}) text = replaced(text, paper, "");
  text += "[[rows]]\nname = \"js\"\nguidance.guidance = \"js\"\nguidance.alpha = 0.3\nguidance.scale = [1, 2, 3]\n";
  const Outcome outcome = run_table(folder, text, {"--dry-run", "--format", "json"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const json plan = json::parse(outcome.out);
  // plain and none have 2 x 2 cells; js fixes alpha, so it has 2 epsilons x 3 scales; all with two seeds.
  ASSERT_EQ(plan.size(), 2 * (4 + 4 + 6));
  EXPECT_EQ(plan[0]["cell"], "plain, alpha 0.05, epsilon 0.1");
  EXPECT_EQ(plan[16]["cell"], "js, epsilon 0.1, scale 1");
  EXPECT_NE(outcome.err.find("note: --alpha has no effect without --guidance "), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find(": its axis makes rows of equal images, such as plain, alpha "), std::string::npos);
  EXPECT_EQ(outcome.err.find("--scale"), std::string::npos) << "it has an effect on js\n" << outcome.err;
  EXPECT_FALSE(fs::exists(folder / "o")) << "a dry run writes nothing";
}

TEST(SweepAxes, NeedAsManyPrintedNumbersAsCells) {
  const TemporaryFolder folder;
  const std::string rows = "[[rows]]\nname = \"js\"\nguidance.alpha = [0.1, 0.2]\npaper = ";
  for (const auto& [paper, message] : std::vector<std::pair<std::string, std::string>>{
           {"[5, 6, 7]", "row 'js': paper lists 3 numbers for 2 cells"},
           {"5", "row 'js' has 2 cells along its axes: paper must be a list of as many"},
           {"[{fit = 5}, 6]", "paper: no metric is called 'fit'. Did you mean 'fid'?"},
           {"[5, nan]", "row 'js': paper: fid must be a finite number, got nan"},
           {"[{fid = inf}, 6]", "row 'js': paper: fid must be a finite number, got inf"},
           {"[{recall = 0.6}, 6]",
            "row 'js': paper: recall is not scored, only fid and accuracy: leave it out or add it to [evaluate] "
            "metrics"},
           {"[{accuracy = 97.0}, 6]", "row 'js': paper: accuracy is a share of 1: write 0.97 for 97 %"},
       }) {
    const Outcome outcome = run_table(folder, table_text() + rows + paper + "\n", {"--dry-run"});
    EXPECT_EQ(outcome.exit_code, 2) << paper;
    EXPECT_NE(outcome.err.find(message), std::string::npos) << outcome.err;
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  }
}

TEST(SweepAxes, AreNotOverriddenBySettingsOfTheWholeSweep) {
  const TemporaryFolder folder;
  for (const auto& [axis, more, message] : std::vector<std::tuple<std::string, std::vector<std::string>, std::string>>{
           {"steps = [2, 3]", {"--steps", "4"}, "--steps of the sweep would override every value of the axis 'steps'"},
           {"respacing = ['4', '5']", {"--steps", "4"}, "every value of the axis 'respacing': leave one of them out"},
           {"count = [10, 20]",
            {"--count", "5"},
            "--count of the sweep would override every value of the axis 'count'"},
           {"device = ['cpu', 'auto']", {"--device", "cpu"}, "--device of the sweep would override"},
           {"threads = [1, 2]", {}, "axis 'threads': it is one for the whole sweep; set it in [sweep]"},
       }) {
    const std::string rows = "[[rows]]\nname = \"own\"\nsampler." + axis + "\n";
    std::vector<std::string> texts = {replaced(table_text(), "paper = ", "# ") + "[axes]\n" + axis + "\n"};
    if (axis.starts_with("steps")) texts.push_back(table_text() + rows);
    for (const std::string& text : texts) {
      std::vector<std::string> words = {"--dry-run"};
      words.insert(words.end(), more.begin(), more.end());
      const Outcome outcome = run_table(folder, text, words);
      EXPECT_EQ(outcome.exit_code, 2) << text;
      EXPECT_NE(outcome.err.find(message), std::string::npos) << outcome.err;
    }
  }
}

TEST(SweepTable, RefusesRowsThatCannotNameAFolderBeforeItDraws) {
  const TemporaryFolder folder;
  const auto refusal = [&](const std::string& name) {
    const Outcome outcome = run_table(folder, table_text() + "[[rows]]\nname = \"" + name + "\"\n");
    EXPECT_EQ(outcome.exit_code, 2) << name;
    EXPECT_FALSE(fs::exists(folder / "o")) << name;
    return outcome.err;
  };
  const std::string cannot = "sextant sweep: [[rows]] name '";
  EXPECT_EQ(refusal("w/o guidance"), cannot + "w/o guidance' cannot name a folder: it has a '/'\n");
  EXPECT_EQ(refusal(""), cannot + "' cannot name a folder: it is empty\n");
  EXPECT_EQ(refusal(".js"), cannot + ".js' cannot name a folder: it begins with a '.'\n");
  EXPECT_EQ(refusal("two\\nlines"),
            cannot + "two\\nlines' cannot name a folder: it has a line break or another control character\n");
  EXPECT_EQ(refusal("red\\u001b[31m"),
            cannot + "red\\x1b[31m' cannot name a folder: it has a line break or another control character\n");
  for (const char* own : {"table.md", "run.json", "ledger.sqlite"}) {
    EXPECT_EQ(refusal(own),
              "sextant sweep: a row cannot be called '" + std::string(own) + "': a file of the sweep has that name\n");
  }
  std::string umlauts = "x";
  for (int i = 0; i < 150; ++i) umlauts += "\u00fc";
  EXPECT_EQ(refusal(umlauts), "sextant sweep: the folder of a cell would have a name of 301 bytes, '" +
                                  umlauts.substr(0, 59) + "...': shorten what names it to 200 in all\n");
}

TEST(SweepAxes, ThatDoNotExistNameTheNearest) {
  const TemporaryFolder folder;
  for (const auto& [axes, message] : std::vector<std::pair<std::string, std::string>>{
           {"alhpa = [1, 2]", "axis 'alhpa' is no setting. Did you mean 'alpha'?"},
           {"guidance.epsilom = [1, 2]",
            "axis 'guidance.epsilom': [guidance] has no such setting. Did you mean "
            "'epsilon'?"},
           {"alpha = 1", "axis 'alpha' must be a list of values, got 1"},
           {"seed = [1, 2]", "seeds are no axis"},
           {"\"guidance.scale\" = [1, 2]", "axis 'guidance.scale' is no setting. Did you mean 'scale'?"},
           {"out = ['a', 'b']",
            "axis 'out': every run has a folder of its own in the sweep's, which [sweep] out names"},
           {"alpha = [\"x\"]", "alpha must be a number"},
       }) {
    const Outcome outcome = run_table(folder, table_text() + "[axes]\n" + axes + "\n");
    EXPECT_EQ(outcome.exit_code, 2) << axes;
    EXPECT_NE(outcome.err.find(message), std::string::npos) << outcome.err;
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  }
}

TEST(SweepTable, RefusesSettingsOfARunThatAreTheSweepsOwn) {
  const TemporaryFolder folder;
  const std::string file = (folder / "t.toml").string();
  const std::string own = "every run has a folder of its own in the sweep's, which [sweep] out names\n";
  const auto refusal = [&](const std::string& text) {
    const Outcome outcome = run_table(folder, text, {"--dry-run"});
    EXPECT_EQ(outcome.exit_code, 2) << text;
    return outcome.err;
  };
  EXPECT_EQ(refusal(replaced(table_text(), "[sample]\n", "[sample]\nout = \"mine\"\n")),
            "sextant sweep: " + file + ": [sample] out: " + own);
  EXPECT_EQ(refusal(table_text() + "[[rows]]\nname = \"js\"\nsample.out = \"mine\"\n"),
            "sextant sweep: " + file + ": row 'js': [sample] out: " + own);
  EXPECT_EQ(refusal(table_text() + "[[columns]]\nname = \"c\"\nsample.threads = 2\n"),
            "sextant sweep: " + file +
                ": column 'c': [sample] threads: it is one for the whole sweep; set it in "
                "[sweep]\n");
  for (const char* setting : {"out = \"o\"", "threads = 2", "format = \"csv\"", "quiet = true"}) {
    const std::string key = std::string(setting).substr(0, std::string(setting).find(' '));
    EXPECT_EQ(refusal(replaced(table_text(), "[evaluate]\n", "[evaluate]\n" + std::string(setting) + "\n")),
              "sextant sweep: [evaluate] " + key + " is the sweep's own affair; leave it out\n");
  }
}

TEST(SweepDryRun, ListsSevenCellsOfATableWhoseCheckpointsAreMissing) {
  const TemporaryFolder folder;
  const std::string recipe = sextant::testing::source_dir() / "recipes/paper/javid-table-7.toml";
  const Outcome outcome = sextant({"sweep", recipe, "--dry-run", "--format", "json", "--out", folder / "o"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const json plan = json::parse(outcome.out);
  ASSERT_EQ(plan.size(), 7);
  for (const json& cell : plan) EXPECT_EQ(cell["missing"], "128x128_diffusion.pt, resnet50-11ad3fa6.pth");
  EXPECT_NE(outcome.err.find("docs/checkpoints.md"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("VIRTUAL_imagenet128_labeled.npz"), std::string::npos) << outcome.err;
}

TEST(SweepDryRun, MeasuresAStepWhereTheModelIsThere) {
  const TemporaryFolder folder;
  const Outcome outcome = run_table(folder, table_text(), {"--dry-run", "--format", "json"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  for (const json& cell : json::parse(outcome.out)) {
    EXPECT_GT(cell["seconds_per_image"], 0) << cell;
    EXPECT_EQ(cell["seconds"].get<double>(), 20 * cell["seconds_per_image"].get<double>());
    EXPECT_EQ(cell["missing"], "");
    EXPECT_EQ(cell["there"], 0);
  }
}

TEST(SweepDryRun, MeasuresWhatCostsTheSameOnce) {
  const TemporaryFolder folder;
  const std::string rows =
      "[[rows]]\nname = \"js\"\nguidance.guidance = \"js\"\nguidance.alpha = [0.1, 0.2]\n"
      "[[rows]]\nname = \"longer\"\nsampler.steps = 8\n[[rows]]\nname = \"longest\"\nsampler.steps = 2000\n";
  const Outcome outcome = run_table(folder, table_text() + rows, {"--dry-run", "--format", "json"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const json plan = json::parse(outcome.out);
  ASSERT_EQ(plan.size(), 12);
  const auto each = [&](std::size_t run) { return plan[run]["seconds_per_image"].get<double>(); };
  for (const std::size_t guided : {1, 4, 5, 6, 7}) EXPECT_EQ(each(guided), each(0)) << plan[guided];
  EXPECT_NE(each(2), each(0)) << "without guidance";
  EXPECT_GT(each(8), each(0)) << "twice as many steps";
  EXPECT_NE(outcome.err.find("measured steps of each of 2 kinds of run"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("cannot be drawn: longest: steps 2000 is more than"), std::string::npos) << outcome.err;
}

TEST(SweepDryRun, IsOneNumberACellForPrograms) {
  const TemporaryFolder folder;
  const Outcome outcome = run_table(folder, table_text(), {"--dry-run", "--format", "csv"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.out.find("cell,seed,images,there,seconds_per_image,seconds,memory_bytes,disk_bytes,missing\r\n"
                             "plain,3,20,0,0."),
            0)
      << outcome.out;
}

TEST(SweepDryRun, TellsTheMemoryOfEachCellNotOfTheGreatestBefore) {
  const TemporaryFolder folder;
  const Outcome outcome = run_table(folder,
                                    table_text() +
                                        "[[rows]]\nname = \"many\"\nsample.count = 200\nsample.batch = 200\n"
                                        "[[rows]]\nname = \"few\"\nsample.batch = 1\n",
                                    {"--dry-run", "--format", "json"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const json plan = json::parse(outcome.out);
  ASSERT_EQ(plan.size(), 8);
  const auto bytes = [&](std::size_t cell) { return plan[cell]["memory_bytes"].get<double>(); };
  EXPECT_LT(bytes(6), bytes(4) - 20e6) << plan;
}

TEST(SweepDryRun, SaysWhyACellCannotBeOpenedAndMeasuresTheOthers) {
  const TemporaryFolder folder;
  write_atomically(folder / "broken.pt", "no weights");
  const Outcome outcome = run_table(folder,
                                    table_text() + "[[rows]]\nname = \"broken\"\nclassifier.classifier = \"" +
                                        (folder / "broken.pt").string() + "\"\n",
                                    {"--dry-run", "--format", "json"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const json plan = json::parse(outcome.out);
  ASSERT_EQ(plan.size(), 6);
  for (const json& cell : plan) {
    const bool broken = cell["cell"] == "broken";
    EXPECT_EQ(cell["missing"].get<std::string>().find("broken.pt") != std::string::npos, broken) << cell;
    EXPECT_EQ(!cell.contains("seconds_per_image"), broken) << cell;
  }
  EXPECT_NE(outcome.err.find("cannot be drawn: broken: "), std::string::npos) << outcome.err;
}

TEST(SweepTable, RefusesABaselineThatIsNoRowBeforeItDrawsAndBeforeItPlans) {
  const TemporaryFolder folder;
  for (const std::vector<std::string>& more : {std::vector<std::string>{}, {"--dry-run"}}) {
    std::vector<std::string> words = {"--baseline", "plian"};
    words.insert(words.end(), more.begin(), more.end());
    const Outcome outcome = run_table(folder, table_text(), words);
    EXPECT_EQ(outcome.exit_code, 2);
    EXPECT_EQ(outcome.err, "sextant sweep: baseline 'plian' is no row. Did you mean 'plain'?\n");
    EXPECT_FALSE(fs::exists(folder / "o"));
  }
}

TEST(SweepTable, NamesTheRowOfSettingsThatContradictEachOtherInADryRunToo) {
  const TemporaryFolder folder;
  const std::string row = "[[rows]]\nname = \"both\"\nmodel.cfg-scale = 2\n";
  for (const std::vector<std::string>& more : {std::vector<std::string>{}, {"--dry-run"}}) {
    const Outcome outcome = run_table(folder, table_text() + row, more);
    EXPECT_EQ(outcome.exit_code, 2);
    EXPECT_NE(outcome.err.find("sextant sweep: both: --cfg-scale needs the model's labels"), std::string::npos)
        << outcome.err;
  }
}

}  // namespace
}  // namespace sextant::cli::testing
