#include "recipe.h"

#include "arguments.h"
#include "cli/program.h"
#include "command.h"
#include "internal/commands/sample.h"
#include "internal/commands/sweep.h"
#include "internal/commands/trace.h"
#include "internal/runtime/files.h"

namespace sextant::cli::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

TEST(Recipe, GivesTheSettingsAndFlagsOverrideThem) {
  const TemporaryFolder folder;
  write_atomically(folder / "r.toml",
                   "[guidance]\nguidance = \"js\"\nalpha = 0.09\n[sample]\nlabels = [3, \"5-6\"]\nseed = 4\n");
  std::vector<std::string> words = small_run(folder / "o", {"--recipe", folder / "r.toml", "--alpha", "0.2"});
  const auto labels = std::find(words.begin(), words.end(), "--labels");
  words.erase(labels, labels + 2);
  const Outcome outcome = sextant(words);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const json config = json::parse(read_file(folder / "o/run.json"))["config"];
  EXPECT_EQ(config["guidance"]["guidance"], "js");
  EXPECT_EQ(config["guidance"]["alpha"], 0.2);
  EXPECT_EQ(config["sample"]["seed"], 4);
  EXPECT_TRUE(array_of(folder / "o", "arr_1").equal(at::tensor({3, 5, 6, 3, 5, 6}, at::kLong)));
}

TEST(RunRecord, OfAnotherKindIsRefusedInOneLine) {
  const TemporaryFolder folder;
  ASSERT_EQ(sextant(small_run(folder / "o")).exit_code, 0);
  const json record = json::parse(read_file(folder / "o/run.json"));
  const auto with = [&](const std::string& key, const json& value) {
    json changed = record;
    changed[key] = value;
    write_atomically(folder / "o/run.json", changed.dump());
  };
  with("complete", "yes");
  const Outcome same = sextant(small_run(folder / "o"));
  EXPECT_EQ(same.exit_code, 1);
  EXPECT_NE(same.err.find("o/run.json is damaged: an entry is missing or of another kind"), std::string::npos);
  with("command", 3);
  const Outcome recipe = sextant({"sample", "--recipe", folder / "o/run.json"});
  EXPECT_EQ(recipe.exit_code, 2);
  EXPECT_NE(recipe.err.find("is no run.json of an earlier run"), std::string::npos) << recipe.err;
  // A step before the first would be written before the trace.
  with("trace", json::parse(R"([{"step": -100000000, "gradient_norm": 1}])"));
  EXPECT_EQ(sextant(small_run(folder / "o", {"--count", "7"})).exit_code, 0);
}

TEST(RunRecord, RepeatsTheRun) {
  const TemporaryFolder folder;
  ASSERT_EQ(sextant(small_run(folder / "a", {"--guidance", "hellinger", "--scale", "1.7", "--seed", "11"})).exit_code,
            0);
  const Outcome outcome = sextant({"sample", "--recipe", folder / "a/run.json", "--out", folder / "b"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(read_file(folder / "a/samples.npz"), read_file(folder / "b/samples.npz"));
}

TEST(RunRecord, OfAnotherCommandIsRefused) {
  const TemporaryFolder folder;
  write_atomically(folder / "run.json", R"({"command": "sweep", "config": {}})");
  const Outcome outcome = sextant({"sample", "--recipe", folder / "run.json"});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_NE(outcome.err.find("is the record of 'sextant sweep'"), std::string::npos) << outcome.err;
}

TEST(Recipe, OfAnotherCommandNamesIt) {
  const std::string recipes = sextant::testing::source_dir() / "recipes";
  const auto last = [](const std::vector<std::string>& words) {
    const Outcome outcome = sextant(words);
    EXPECT_EQ(outcome.exit_code, 2) << outcome.out;
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
    const std::size_t at = outcome.err.find("It is a recipe of ");
    return at == std::string::npos ? outcome.err : outcome.err.substr(at);
  };
  const std::string ece = recipes + "/paper/elucd-ece-off-the-shelf.toml";
  EXPECT_EQ(last({"sweep", ece, "--dry-run"}), "It is a recipe of 'sextant calibrate'\n");
  EXPECT_EQ(last({"trace", ece}), "It is a recipe of 'sextant calibrate'\n");
  EXPECT_EQ(last({"sample", "--recipe", recipes + "/demo.toml"}), "It is a recipe of 'sextant sweep'\n");
  EXPECT_EQ(last({"sweep", recipes + "/figures/mnist.toml"}), "It is a recipe of 'sextant trace'\n");
  EXPECT_EQ(last({"calibrate", "--recipe", recipes + "/train-mnist-adm.toml"}), "It is a recipe of 'sextant train'\n");
  const std::string one = recipes + "/adm128-resnet101-js.toml";
  EXPECT_EQ(sextant({"sweep", one}).err,
            "sextant sweep: " + one +
                " has no [[rows]] and no axes: nothing to run; a recipe of one run is for 'sextant sample'\n");
}

TEST(BundledFigures, HaveOnlySettingsThatExist) {
  int64_t checked = 0;
  for (const auto& entry : fs::directory_iterator(sextant::testing::source_dir() / "recipes/figures")) {
    ++checked;
    commands::TraceConfig config;
    json tables = read_toml(entry.path());
    for (const char* key : {"rows", "columns"}) {
      if (tables.contains(key)) config.grid[key] = tables[key];
      tables.erase(key);
    }
    OptionTable("trace", commands::trace_options(config)).merge(tables, entry.path());
    EXPECT_GE(commands::trace_methods(config).size(), 1) << entry.path();
    const Command command = command_named("trace");
    Invocation invocation = command.open();
    EXPECT_NO_THROW(take_recipe(command, invocation, entry.path())) << entry.path();
  }
  EXPECT_EQ(checked, 4);
}

TEST(BundledRecipes, HaveOnlySettingsThatExist) {
  int64_t checked = 0;
  for (const auto& entry : fs::directory_iterator(sextant::testing::source_dir() / "recipes")) {
    if (entry.path().extension() != ".toml") continue;
    ++checked;
    const json recipe = read_toml(entry.path());
    std::vector<std::string> readers;
    for (const Command& command : commands()) {
      if (!recipe.contains(command.name)) continue;
      readers.push_back(command.name);
      if (command.name == "sweep" || recipe.contains("rows")) continue;
      Invocation invocation = command.open();
      EXPECT_NO_THROW(take_recipe(command, invocation, entry.path())) << entry.path();
    }
    if (recipe.contains("rows")) {
      commands::SweepConfig config;
      OptionTable("sweep", commands::sweep_options(config)).merge({{"sweep", recipe["sweep"]}}, entry.path());
      EXPECT_GT(commands::sweep_runs(recipe, config).size(), 1) << entry.path();
    } else {
      EXPECT_EQ(readers.size(), 1) << entry.path();
    }
  }
  EXPECT_GT(checked, 0);
}

TEST(Recipe, KeepsTheLargestSeed) {
  const TemporaryFolder folder;
  const std::string largest = "18446744073709551615";  // 2^64 - 1
  const Outcome by_flag = sextant(small_run(folder / "flag", {"--seed", largest}));
  ASSERT_EQ(by_flag.exit_code, 0) << by_flag.err;
  const std::string record = read_file(folder / "flag/run.json");
  EXPECT_NE(record.find("\"seed\": " + largest), std::string::npos);
  const Outcome by_record =
      sextant({"sample", "--recipe", folder / "flag/run.json", "--out", folder / "record", "--quiet"});
  ASSERT_EQ(by_record.exit_code, 0) << by_record.err;
  // TOML has no integers above 2^63 - 1.
  write_atomically(folder / "r.toml", "[sample]\nseed = \"" + largest + "\"\n");
  const Outcome by_recipe = sextant(small_run(folder / "recipe", {"--recipe", folder / "r.toml"}));
  ASSERT_EQ(by_recipe.exit_code, 0) << by_recipe.err;
  for (const char* same : {"record", "recipe"}) {
    EXPECT_EQ(read_file(folder / same / "samples.npz"), read_file(folder / "flag/samples.npz")) << same;
  }
  ASSERT_EQ(sextant(small_run(folder / "other", {"--seed", "9223372036854775807"})).exit_code, 0);
  EXPECT_NE(read_file(folder / "other/samples.npz"), read_file(folder / "flag/samples.npz"));
  const Outcome beyond = sextant(small_run(folder / "o", {"--seed", "18446744073709551616"}));
  EXPECT_EQ(beyond.exit_code, 2);
  EXPECT_NE(beyond.err.find("--seed must be a whole number 0 or more, got '18446744073709551616'"), std::string::npos)
      << beyond.err;
  const Outcome negative = sextant(small_run(folder / "o", {"--seed", "-1"}));
  EXPECT_EQ(negative.exit_code, 2);
}

}  // namespace
}  // namespace sextant::cli::testing
