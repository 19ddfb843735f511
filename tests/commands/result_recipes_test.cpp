// The sweeps that docs/results and docs/theory.md stand on.
#include <set>

#include "command.h"
#include "commands/filled_model.h"
#include "internal/commands/sweep.h"
#include "recipe.h"

namespace sextant::testing {
namespace {

namespace fs = std::filesystem;
using commands::SweepConfig;
using commands::SweepRun;
using nlohmann::json;

std::vector<fs::path> sweeps_in(const std::string& folder) {
  std::vector<fs::path> recipes;
  for (const auto& entry : fs::directory_iterator(source_dir() / "recipes" / folder)) {
    if (entry.path().extension() == ".toml" && cli::read_toml(entry.path()).contains("sweep")) {
      recipes.push_back(entry.path());
    }
  }
  std::sort(recipes.begin(), recipes.end());
  return recipes;
}

struct Grid {
  SweepConfig config;
  std::vector<SweepRun> runs;
};

Grid grid_of(const fs::path& file) {
  json recipe = cli::read_toml(file);
  commands::tidy_recipe(recipe);
  Grid grid;
  OptionTable("sweep", commands::sweep_options(grid.config)).merge({{"sweep", recipe["sweep"]}}, file.string());
  commands::sweep_evaluation(recipe, grid.config);
  grid.runs = commands::sweep_runs(recipe, grid.config);
  return grid;
}

TEST(ResultRecipes, ResolveInEveryFolder) {
  for (const char* folder : {"results", "theory", "."}) {
    for (const fs::path& file : sweeps_in(folder)) {
      SCOPED_TRACE(file.string());
      const Grid grid = grid_of(file);
      EXPECT_GE(grid.runs.size(), 2);
      for (const SweepRun& run : grid.runs) EXPECT_NO_THROW(commands::check_settings(run.config)) << run.row;
    }
  }
}

TEST(ResultRecipes, HaveThreeSeedsAndTwoThousandImagesACell) {
  for (const fs::path& file : sweeps_in("results")) {
    std::map<std::string, std::set<uint64_t>> seeds;
    std::map<std::string, int64_t> images;
    for (const SweepRun& run : grid_of(file).runs) {
      seeds[run.row + run.column].insert(run.config.sample.seed);
      images[run.row + run.column] += run.config.sample.count;
    }
    for (const auto& [cell, count] : images) {
      EXPECT_GE(count, 2000) << file << ": " << cell;
      EXPECT_EQ(seeds[cell].size(), 3) << file << ": " << cell;
    }
  }
}

TEST(ResultRecipes, ShareTheirBaseline) {
  // The ledger draws equal cells once; a setting that slips in one recipe would draw plain guidance again.
  std::map<std::string, json> plain;
  for (const fs::path& file : sweeps_in("results")) {
    for (const SweepRun& run : grid_of(file).runs) {
      if (run.row != "plain" || !run.column.empty() || run.config.sample.seed != 1) continue;
      commands::SampleConfig config = run.config;
      config.run = {};
      plain[file.filename().string()] = OptionTable("sample", commands::sample_options(config)).to_json();
    }
  }
  EXPECT_GE(plain.size(), 4);
  for (const auto& [file, settings] : plain) EXPECT_EQ(settings, plain.begin()->second) << file;
}

}  // namespace
}  // namespace sextant::testing
