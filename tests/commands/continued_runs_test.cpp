// Runs that end early, and what they leave in their folder.
#include <fstream>
#include <map>

#include "commands/systems.h"
#include "internal/runtime/files.h"
#include "sextant/report/drawing.h"
#include "support/errors.h"

namespace sextant::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// Asks for a stop when `images` are drawn; 0 never does.
class StoppingProgress : public Progress {
 public:
  StoppingProgress(Stop& stop, double images) : stop_(stop), images_(images) {}
  void begin(const std::string&, double, double, const std::string&) override {}
  void update(double done) override {
    if (images_ > 0 && done >= images_) stop_.request(2);
  }
  void end() override {}
  void note(const std::string& line) override { notes += line + "\n"; }

  std::string notes;

 private:
  Stop& stop_;
  double images_;
};

/// Six images in three steps, two at a time; the notes.
std::string draw_six(SampleConfig config, const fs::path& out, double stop_after = 0, bool overwrite = false) {
  config.run.out = out.string();
  config.run.threads = 1;
  config.run.overwrite = overwrite;
  config.sample.count = 6;
  if (config.sample.batch == SampleConfig().sample.batch) config.sample.batch = 2;
  config.sampler.steps = 3;
  Stop stop;
  StoppingProgress progress(stop, stop_after);
  commands::run_sample(config, progress, stop);
  return progress.notes;
}

json record_of(const fs::path& out) { return json::parse(read_file(out / "run.json")); }

/// Every file of a folder with its bytes.
std::map<std::string, std::string> contents(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::directory_iterator(folder)) files[entry.path().filename()] = read_file(entry.path());
  return files;
}

class ContinuedRuns : public Systems {
 protected:
  static std::vector<SampleConfig> guided_systems() {
    SampleConfig adm;
    adm.model.path = at("adm");
    adm.classifier.path = at("resnet");
    adm.guidance.guide.interval = {0, 0.7};  // the first step is not guided
    adm.sampler.sampler = samplers::sample_ddim;
    return {adm, edm_model("edm", true), latent_model("resnet")};
  }
  static fs::path empty_folder(const std::string& name) {
    fs::remove_all(at(name));
    return at(name);
  }
};

TEST_F(ContinuedRuns, TraceEveryImageAsUninterruptedOnes) {
  for (const SampleConfig& config : guided_systems()) {
    SCOPED_TRACE(config.model.path);
    const fs::path whole = empty_folder("whole");
    draw_six(config, whole);
    const json trace = record_of(whole).at("trace");
    ASSERT_GE(trace.size(), 2U);
    for (const json& row : trace) EXPECT_EQ(row.at("images"), 6);
    for (const bool killed : {false, true}) {
      const fs::path parts = empty_folder("parts");
      draw_six(config, parts, 2);
      EXPECT_EQ(record_of(parts).at("trace").at(0).at("images"), 2);
      // A process that is killed leaves its store and nothing else.
      if (killed) {
        for (const char* file : {"run.json", "samples.npz", "grid.png"}) fs::remove(parts / file);
      }
      draw_six(config, parts);
      EXPECT_EQ(record_of(parts).at("trace"), trace) << (killed ? "killed" : "stopped");
      EXPECT_EQ(record_of(parts).at("gradient_norm"), record_of(whole).at("gradient_norm"));
      for (const char* file : {"samples.npz", "gradient-norm.svg"}) {
        EXPECT_EQ(fs::exists(parts / file), fs::exists(whole / file)) << file;
        if (!fs::exists(whole / file)) continue;
        EXPECT_EQ(read_file(parts / file), read_file(whole / file)) << file;
      }
    }
  }
}

TEST_F(ContinuedRuns, HaveATraceThatDoesNotDependOnTheBatch) {
  SampleConfig config = guided_systems()[0];
  draw_six(config, empty_folder("twos"));
  config.sample.batch = 3;
  draw_six(config, empty_folder("threes"));
  const json twos = record_of(at("twos")).at("trace"), threes = record_of(at("threes")).at("trace");
  ASSERT_EQ(twos.size(), threes.size());
  double sum = 0;
  for (std::size_t i = 0; i < twos.size(); ++i) {
    EXPECT_NEAR(twos[i].at("gradient_norm"), threes[i].at("gradient_norm"), 1e-5);
    EXPECT_NEAR(twos[i].at("probability"), threes[i].at("probability"), 1e-5);
    sum += twos[i].at("gradient_norm").get<double>();
  }
  // Every step has all images, so the mean over images and guided steps is that over steps.
  EXPECT_NEAR(record_of(at("twos")).at("gradient_norm"), sum / static_cast<double>(twos.size()), 1e-12);
}

TEST_F(ContinuedRuns, CostNothingWhenTheNextOneIsRefused) {
  const fs::path out = empty_folder("kept");
  const SampleConfig adm = guided_systems()[0];
  const auto refused = [&](const std::function<void(SampleConfig&)>& change) {
    SampleConfig config = adm;
    change(config);
    return message_of([&] { draw_six(config, out, 0, /*overwrite=*/true); });
  };
  const std::vector<std::function<void(SampleConfig&)>> mistakes = {
      [](auto& c) { c.sample.labels = "11"; },
      [](auto& c) { c.sample.labels = "x"; },
      [](auto& c) { c.model.path = "nope"; },
      [](auto& c) { c.classifier.path = "nope"; },
      [](auto& c) { c.classifier.path = at("latent-resnet"); },
      [](auto& c) { c.sampler.respacing = "1001"; },
      [](auto& c) { c.sampler.sampler = samplers::sample_edm_heun; },
      [](auto& c) { c.guidance.guide.scale = 1e38, c.guidance.guide.input = guidance::Input::kThroughDenoiser; },
      [](auto& c) { c.model.vae = at("vae"); },
  };
  for (const bool unfinished : {false, true}) {
    fs::remove_all(out);
    draw_six(adm, out, unfinished ? 2 : 0);
    ASSERT_EQ(fs::exists(out / "samples.partial"), unfinished);
    const auto before = contents(out);
    for (std::size_t i = 0; i < mistakes.size(); ++i) {
      EXPECT_NE(refused(mistakes[i]), "") << i;
      EXPECT_TRUE(contents(out) == before) << i;
    }
  }
}

TEST_F(ContinuedRuns, GoWhenTheFirstImageOfTheNextOneIsSaved) {
  const SampleConfig adm = guided_systems()[0];
  SampleConfig next = unguided(adm);
  next.sample.seed = 5;
  for (const bool unfinished : {false, true}) {
    const fs::path out = empty_folder("replaced");
    draw_six(adm, out, unfinished ? 2 : 0);
    draw_six(next, out, 2, /*overwrite=*/true);
    EXPECT_EQ(record_of(out).at("finished"), 2);
    EXPECT_EQ(record_of(out).at("config").at("sample").at("seed"), 5);
    EXPECT_FALSE(fs::exists(out / "gradient-norm.svg"));
    draw_six(next, out);  // continues, without being told to replace anything
    draw_six(next, empty_folder("alone"));
    EXPECT_EQ(read_file(out / "samples.npz"), read_file(at("alone") + "/samples.npz"));
    EXPECT_FALSE(fs::exists(out / "samples.partial"));
  }
}

TEST_F(ContinuedRuns, SayThatALoneTiltIsPlainGuidance) {
  SampleConfig config = guided_systems()[0];
  config.sample.batch = 1;
  draw_six(config, empty_folder("plain"));
  config.guidance.guide.tilt = -0.5;
  EXPECT_NE(draw_six(config, empty_folder("tilted")).find("plain guidance"), std::string::npos);
  EXPECT_EQ(read_file(at("plain") + "/samples.npz"), read_file(at("tilted") + "/samples.npz"));
}

}  // namespace
}  // namespace sextant::testing
