// A trace of a sweep's recipe, and the picture of methods that differ in their steps.
#include <fstream>

#include "commands/systems.h"
#include "internal/commands/trace.h"
#include "sextant/report/drawing.h"
#include "support/errors.h"
#include "trace/followed.h"

namespace sextant::testing {
namespace {

namespace fs = std::filesystem;
using commands::TraceConfig;
using commands::TraceMethod;
using nlohmann::json;

class Noted : public Progress {
 public:
  void begin(const std::string&, double, double, const std::string&) override {}
  void update(double) override {}
  void end() override {}
  void note(const std::string& line) override { notes += line + "\n"; }
  std::string notes;
};

/// The trace of a recipe, as the command line takes it.
TraceConfig taken(json recipe, TraceConfig config = {}) {
  take_methods(recipe, config);
  OptionTable("trace", trace_options(config)).merge(recipe, "the recipe");
  return config;
}

std::vector<std::string> names_of(const TraceConfig& config) {
  std::vector<std::string> names;
  for (const TraceMethod& method : trace_methods(config)) names.push_back(method.name);
  return names;
}

class TraceRecipe : public Systems {};

TEST_F(TraceRecipe, EveryCellIsAMethod) {
  TraceConfig given;
  given.method.model.path = at("adm");
  given.method.classifier.path = at("resnet");
  given.method.guidance.guidance = "js";
  given.method.sample.count = given.method.sample.batch = 2;
  given.method.sampler.steps = 3;
  given.method.run.out = (out() / "cells").string();
  const json recipe = {{"axes", {{"scale", {0.5, 2}}}}, {"guidance", {{"alpha", {0.1, 0.2}}}}, {"seeds", {4, 5, 6}}};
  const TraceConfig config = taken(recipe, given);
  const std::vector<std::string> names = {"scale 0.5, alpha 0.1", "scale 0.5, alpha 0.2", "scale 2, alpha 0.1",
                                          "scale 2, alpha 0.2"};
  EXPECT_EQ(names_of(config), names);
  const std::vector<TraceMethod> methods = trace_methods(config);
  EXPECT_EQ(methods[2].config.guidance.guide.scale, 2);
  EXPECT_EQ(methods[1].config.guidance.terms.divergence.alpha, 0.2);
  for (const TraceMethod& method : methods) EXPECT_EQ(method.config.sample.seed, 4);

  Noted progress;
  EXPECT_TRUE(run_trace(config, progress, Stop()).complete);
  EXPECT_NE(progress.notes.find("note: the recipe has 3 seeds; a trace follows one, 4\n"), std::string::npos);
  // The record is a recipe of the same trace.
  const json record = json::parse(std::ifstream(out() / "cells/trace.json"));
  EXPECT_EQ(record.at("methods").size(), 4);
  const TraceConfig again = taken(record.at("config"));
  EXPECT_EQ(names_of(again), names);
  EXPECT_EQ(again.method.sample.seed, 4);
}

TEST_F(TraceRecipe, SaysWhatAnAxisVariesWithoutEffect) {
  TraceConfig given;
  given.method.model.path = at("adm");
  given.method.classifier.path = at("resnet");
  given.method.sample.count = given.method.sample.batch = 2;
  given.method.sampler.steps = 2;
  given.method.run.out = (out() / "idle").string();
  Noted progress;
  EXPECT_TRUE(run_trace(taken({{"guidance", {{"alpha", {0.3, 0.4}}}}}, given), progress, Stop()).complete);
  EXPECT_NE(progress.notes.find("note: --alpha has no effect without --guidance "), std::string::npos);
  EXPECT_NE(progress.notes.find(": its axis makes methods that are alike, such as alpha 0.3\n"), std::string::npos)
      << progress.notes;
}

TEST_F(TraceRecipe, GivesTheFirstSeedHoweverSeedsAreWritten) {
  for (const json& seeds : {json("7, 8"), json(7), json::array({7}), json::array({"7", 8})}) {
    EXPECT_EQ(taken({{"sweep", {{"seeds", seeds}}}}).method.sample.seed, 7) << seeds;
  }
  EXPECT_EQ(taken({{"sweep", {{"seeds", ""}}}, {"sample", {{"seed", 3}}}}).method.sample.seed, 3);
}

TEST_F(TraceRecipe, NeedsRowsOrAxesAndNoneOfThePapersNumbers) {
  const json entries = json::array({{{"name", "a"}, {"paper", {{"recall", 0.6}}}}, {{"name", "b"}, {"paper", "none"}}});
  EXPECT_EQ(names_of(taken({{"rows", entries}})), (std::vector<std::string>{"a", "b"}));
  EXPECT_NE(message_of([&] {
              names_of(taken({{"columns", entries}}));
            }).find("no [[rows]] and no axes"),
            std::string::npos);
  TraceConfig of_file;
  json wrong = {{"rows", json::array({{{"name", "a"}, {"sampler", {{"stepz", 3}}}}})}};
  take_methods(wrong, of_file, "t.toml");
  const auto named = [&] { names_of(of_file); };
  EXPECT_EQ(message_of(named).find("t.toml: row 'a': unknown key 'stepz'"), 0) << message_of(named);
}

/// A method whose images 0 and 2 are shown at `steps`, grey as the step says; its last step is not guided.
commands::Followed followed(const std::string& name, const std::vector<int64_t>& steps) {
  commands::Followed method;
  method.name = name;
  for (const int64_t sample : {0, 2}) {
    for (const int64_t step : steps) {
      const Tensor image = at::full({1, 4, 4}, static_cast<float>(step) / 8);
      method.frames.push_back({sample, step, image, image, step == 0 ? Tensor() : image});
    }
  }
  return method;
}

TEST(TraceMaps, ShowBelowACaptionWhatIsOfItsImageAndStep) {
  const report::Montage maps = commands::maps_of({followed("short", {2, 1, 0}), followed("long", {6, 5, 3, 2, 0})});
  std::vector<std::string> captions;
  for (const char* image : {"image 0, t ", "image 2, t "}) {
    for (const char* step : {"6", "5", "3", "2", "1", "0"}) captions.push_back(std::string(image) + step);
  }
  ASSERT_EQ(maps.columns, captions);
  ASSERT_EQ(maps.cells.size(), 6);
  for (std::size_t row = 0; row < 6; ++row) {
    const std::string shown = row < 3 ? "210" : "65320";
    ASSERT_EQ(maps.cells[row].size(), captions.size());
    for (std::size_t column = 0; column < captions.size(); ++column) {
      const char step = captions[column].back();
      const bool gradients = row % 3 == 2;
      const bool there = shown.find(step) != std::string::npos && !(gradients && step == '0');
      const Tensor& cell = maps.cells[row][column];
      ASSERT_EQ(cell.defined(), there) << row << " " << captions[column];
      // Pixels of -1 to 1 are 0 to 255.
      if (!there || gradients) continue;
      EXPECT_NEAR(cell.flatten()[0].item<double>(), 127.5 * ((step - '0') / 8.0 + 1), 1);
    }
  }
}

}  // namespace
}  // namespace sextant::testing
