// Every recipe in recipes/: it resolves with the command line's own parser, every setting in it has an effect, and it
// runs two steps on networks of the same families at reduced size, with weights by the fill rule.
#include <fstream>
#include <regex>

#include "arguments.h"
#include "command.h"
#include "commands/reduced_models.h"
#include "internal/commands/trace.h"
#include "recipe.h"
#include "sextant/models/models.h"

namespace sextant::testing {
namespace {

using commands::SampleConfig;
using nlohmann::json;

/// What the parser makes of a recipe for `sextant sample`, and of the words beside it.
SampleConfig resolve(const std::filesystem::path& recipe, const std::vector<std::string>& words = {}) {
  const std::string sample = "sample";
  const cli::Command& command = cli::command_named(sample);
  cli::Invocation invocation = command.open();
  std::vector<std::string> all = {"--recipe", recipe.string()};
  all.insert(all.end(), words.begin(), words.end());
  cli::parse(command, invocation, all);
  SampleConfig config;
  OptionTable("sample", commands::sample_options(config)).merge(invocation.table.to_json(), recipe.string());
  return config;
}

/// Those of `sextant sample`. A sweep has a table of its own, and training has other commands.
std::vector<std::filesystem::path> sample_recipes() {
  std::vector<std::filesystem::path> recipes;
  for (const auto& entry : std::filesystem::directory_iterator(source_dir() / "recipes")) {
    if (entry.path().extension() != ".toml") continue;
    const json tables = cli::read_toml(entry.path());
    if (tables.contains("sample") && !tables.contains("sweep")) recipes.push_back(entry.path());
  }
  std::sort(recipes.begin(), recipes.end());
  return recipes;
}

class Recipe : public ::testing::TestWithParam<std::filesystem::path> {};
INSTANTIATE_TEST_SUITE_P(Every, Recipe, ::testing::ValuesIn(sample_recipes()), golden_name);

TEST_P(Recipe, HasNoSettingWithoutEffect) {
  EXPECT_EQ(commands::settings_without_effect(resolve(GetParam())), std::vector<std::string>());
}

TEST_P(Recipe, RunsTwoStepsAtReducedSize) {
  const TemporaryFolder folder;
  SampleConfig config = resolve(GetParam());
  shrink_models(config, folder.path());
  ASSERT_FALSE(HasFailure());
  const Tensor images = draw(config, folder / "out");
  EXPECT_EQ(images.size(0), 2);
  EXPECT_EQ(images.size(3), 3);
  EXPECT_GT(images.to(at::kDouble).std().item<double>(), 1);
  if (config.guidance.guidance.empty() || config.guidance.none()) return;
  const json record = json::parse(std::ifstream(folder / "out/run.json"));
  EXPECT_GT(record.at("gradient_norm").get<double>(), 0) << "the guide did nothing";
}

class Quiet : public Progress {
 public:
  void begin(const std::string&, double, double, const std::string&) override {}
  void update(double) override {}
  void end() override {}
  void note(const std::string&) override {}
};

/// The words of a command line, as a shell cuts it at blanks that are not quoted.
std::vector<std::string> words_of(const std::string& line) {
  std::vector<std::string> words;
  const std::regex word(R"re("([^"]*)"|([^\s"]+))re");
  for (std::sregex_iterator at(line.begin(), line.end(), word), end; at != end; ++at) {
    words.push_back((*at)[1].matched ? (*at)[1] : (*at)[2]);
  }
  return words;
}

TEST(RecipesInReadme, RunWithTheFlagsBesideThem) {
  std::ifstream readme(source_dir() / "README.md");
  const std::regex command(R"(^    sextant sample --recipe (recipes/\S+\.toml)([^#]*))");
  int ran = 0;
  std::smatch found;
  for (std::string line; std::getline(readme, line);) {
    if (!std::regex_search(line, found, command)) continue;
    SCOPED_TRACE(line);
    const TemporaryFolder folder;
    SampleConfig config = resolve(source_dir() / found[1].str(), words_of(found[2]));
    shrink_models(config, folder.path());
    ASSERT_FALSE(HasFailure());
    config.run.out = folder / "out";
    config.run.device = {};
    config.run.threads = 1;
    config.run.quiet = true;
    config.sample.count = config.sample.batch = 4;
    config.sampler.steps = 2;
    Quiet progress;
    Stop stop;
    EXPECT_TRUE(commands::run_sample(config, progress, stop).complete());
    ++ran;
  }
  EXPECT_GE(ran, 4);
}

TEST(FigureRecipes, RunTwoStepsAtReducedSize) {
  for (const auto& entry : std::filesystem::directory_iterator(source_dir() / "recipes/figures")) {
    const TemporaryFolder folder;
    commands::TraceConfig config;
    json tables = cli::read_toml(entry.path());
    if (tables.contains("rows")) config.grid["rows"] = tables["rows"];
    tables.erase("rows");
    OptionTable("trace", commands::trace_options(config)).merge(tables, entry.path().string());
    SampleConfig& method = config.method;
    const auto shrink = [&](std::string& path, std::string& arch, const std::string& name) {
      if (arch.empty()) {
        path = (source_dir() / path).string();  // bundled
      } else {
        path = write_model(folder / name, reduced(models::arch_config(arch)), name).string();
        arch.clear();
      }
    };
    shrink(method.model.path, method.model.arch, "model");
    shrink(method.classifier.path, method.classifier.arch, "classifier");
    method.sample.count = method.sample.batch = method.sampler.steps = 2;
    method.run.device = {};
    method.run.out = (folder / "out").string();
    config.samples = "0";
    config.at = "1,0";
    Quiet progress;
    EXPECT_TRUE(commands::run_trace(config, progress, Stop()).complete) << entry.path();
    const json trace = json::parse(std::ifstream(folder / "out/trace.json"));
    EXPECT_EQ(trace.at("methods").size(), config.grid.contains("rows") ? config.grid["rows"].size() : 1);
    for (const json& followed : trace.at("methods")) EXPECT_EQ(followed.at("means").size(), 2) << entry.path();
  }
}

TEST(Recipes, CoverEverySettingThatThePapersPublished) {
  std::vector<std::string> expected = {"adm128-noise-aware", "dit256", "dit256-resnet101-plain",
                                       "clip256-vit-b16-plain", "clip256-vit-b16-js"};
  for (const char* network : {"resnet50", "resnet101"}) {
    for (const char* method : {"plain", "tilted", "entropy", "rkl", "fkl", "js", "hellinger"}) {
      expected.push_back(std::string("adm128-") + network + "-" + method);
    }
  }
  for (const char* steps : {"10", "18", "36"}) {
    expected.push_back(std::string("edm64-") + steps);
    expected.push_back(std::string("edm64-resnet101-elucd-") + steps);
  }
  for (const std::string& name : expected) {
    EXPECT_TRUE(std::filesystem::exists(source_dir() / "recipes" / (name + ".toml"))) << name;
  }
}

}  // namespace
}  // namespace sextant::testing
