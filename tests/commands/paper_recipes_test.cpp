// Every recipe in recipes/paper/: its tables resolve, and each of its cells runs two steps on networks of the same
// families at reduced size, with weights by the fill rule.
#include <set>

#include "arguments.h"
#include "command.h"
#include "commands/reduced_models.h"
#include "internal/commands/sweep.h"
#include "recipe.h"

namespace sextant::testing {
namespace {

namespace fs = std::filesystem;
using commands::SweepConfig;
using commands::SweepRun;
using nlohmann::json;

std::vector<fs::path> paper_recipes(bool sweeps) {
  std::vector<fs::path> recipes;
  for (const auto& entry : fs::directory_iterator(source_dir() / "recipes/paper")) {
    if (entry.path().extension() != ".toml") continue;
    if (cli::read_toml(entry.path()).contains("sweep") == sweeps) recipes.push_back(entry.path());
  }
  std::sort(recipes.begin(), recipes.end());
  return recipes;
}

std::vector<SweepRun> cells_of(const fs::path& file) {
  json recipe = cli::read_toml(file);
  commands::tidy_recipe(recipe);
  SweepConfig config;
  OptionTable("sweep", commands::sweep_options(config)).merge({{"sweep", recipe["sweep"]}}, file.string());
  commands::sweep_evaluation(recipe, config);
  return commands::sweep_runs(recipe, config);
}

class PaperTable : public ::testing::TestWithParam<fs::path> {};
INSTANTIATE_TEST_SUITE_P(Every, PaperTable, ::testing::ValuesIn(paper_recipes(true)), golden_name);

TEST_P(PaperTable, RunsTwoStepsOfEachCellAtReducedSize) {
  std::set<std::string> drawn;
  for (const SweepRun& cell : cells_of(GetParam())) {
    SCOPED_TRACE(cell.row);
    if (!drawn.insert(cell.row + "/" + cell.column).second) continue;  // another seed of it
    commands::check_settings(cell.config);
    const TemporaryFolder folder;
    EXPECT_EQ(cell.config.run.device.kind, DeviceKind::kAuto);
    commands::SampleConfig config = cell.config;
    config.run.device = {};
    config.model.autoguidance_model.clear();
    shrink_models(config, folder.path(), "adm128-classifier");
    ASSERT_FALSE(HasFailure());
    const Tensor images = draw(config, folder / "out");
    EXPECT_EQ(images.size(0), 2);
    EXPECT_GT(images.to(at::kDouble).std().item<double>(), 1);
  }
}

/// The numbers that the paper printed of a table, row by row.
std::vector<double> printed(const std::string& table, const std::string& metric = "fid") {
  std::vector<double> numbers;
  std::set<std::string> rows;
  for (const SweepRun& cell : cells_of(source_dir() / "recipes/paper" / (table + ".toml"))) {
    if (rows.insert(cell.row).second && cell.paper.contains(metric)) numbers.push_back(cell.paper[metric]);
  }
  return numbers;
}

TEST(PaperTables, HaveTheNumbersThatArePrinted) {
  using Numbers = std::vector<double>;
  EXPECT_EQ(printed("javid-table-1"), (Numbers{6.15, 5.94}));
  EXPECT_EQ(printed("javid-table-2"), (Numbers{5.34, 5.28, 5.30, 5.12}));
  EXPECT_EQ(printed("javid-table-2", "recall"), (Numbers{0.67, 0.68, 0.69, 0.68}));
  EXPECT_EQ(printed("javid-table-3"), (Numbers{2.97, 2.68, 2.37, 2.33, 2.29, 2.27, 2.19, 2.17, 2.14, 2.13}));
  EXPECT_EQ(printed("javid-table-3", "precision"),
            (Numbers{0.78, 0.80, 0.77, 0.78, 0.78, 0.77, 0.79, 0.80, 0.79, 0.79}));
  EXPECT_EQ(printed("javid-table-5"), (Numbers{2.19, 2.15}));
  EXPECT_EQ(printed("javid-table-6"), (Numbers{5.45, 5.34, 5.30, 5.28, 5.40, 5.63}));
  EXPECT_EQ(printed("javid-table-7"), (Numbers{5.34, 5.31, 5.12, 5.29, 5.37, 5.22, 5.41}));
  EXPECT_EQ(printed("javid-table-8"), (Numbers{2.16, 2.13, 2.17, 2.20, 2.16, 2.18}));
  EXPECT_EQ(printed("elucd-ddpm128"), (Numbers{5.91, 2.97, 2.36, 2.19}));
  EXPECT_EQ(printed("elucd-edm64"), (Numbers{2.35, 2.22, 2.54, 2.35, 3.64, 3.38}));
}

TEST(PaperTables, OfCalibrationResolve) {
  const std::vector<fs::path> recipes = paper_recipes(false);
  EXPECT_EQ(recipes.size(), 2);
  const std::string name = "calibrate";
  for (const fs::path& recipe : recipes) {
    const cli::Command& command = cli::command_named(name);
    cli::Invocation invocation = command.open();
    EXPECT_NO_THROW(cli::parse(command, invocation, {"--recipe", recipe.string()})) << recipe;
    EXPECT_EQ(cli::read_toml(recipe).at("calibrate").value("device", ""), "auto") << recipe;
  }
}

}  // namespace
}  // namespace sextant::testing
