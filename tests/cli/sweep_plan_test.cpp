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
  EXPECT_FALSE(fs::exists(folder / "o")) << "a dry run writes nothing";
}

TEST(SweepAxes, NeedAsManyPrintedNumbersAsCells) {
  const TemporaryFolder folder;
  const std::string rows = "[[rows]]\nname = \"js\"\nguidance.alpha = [0.1, 0.2]\npaper = ";
  for (const auto& [paper, message] : std::vector<std::pair<std::string, std::string>>{
           {"[5, 6, 7]", "row 'js': paper lists 3 numbers for 2 cells"},
           {"5", "row 'js' has 2 cells along its axes: paper must be a list of as many"},
           {"[{fit = 5}, 6]", "paper: no metric is called 'fit'. Did you mean 'fid'?"},
       }) {
    const Outcome outcome = run_table(folder, table_text() + rows + paper + "\n", {"--dry-run"});
    EXPECT_EQ(outcome.exit_code, 2) << paper;
    EXPECT_NE(outcome.err.find(message), std::string::npos) << outcome.err;
  }
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
           {"out = ['a', 'b']", "axis 'out': every run has a folder of its own"},
           {"alpha = [\"x\"]", "alpha must be a number"},
       }) {
    const Outcome outcome = run_table(folder, table_text() + "[axes]\n" + axes + "\n");
    EXPECT_EQ(outcome.exit_code, 2) << axes;
    EXPECT_NE(outcome.err.find(message), std::string::npos) << outcome.err;
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
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
    EXPECT_GT(std::stod(cell["s/image"].get<std::string>()), 0) << cell;
    EXPECT_EQ(cell["missing"], "");
    EXPECT_EQ(cell["there"], "0");
  }
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
  const auto mebibytes = [&](std::size_t cell) { return std::stod(plan[cell]["memory"].get<std::string>()); };
  EXPECT_LT(mebibytes(6), mebibytes(4) - 20) << plan;
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
    EXPECT_EQ(cell["s/image"] == "", broken) << cell;
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
