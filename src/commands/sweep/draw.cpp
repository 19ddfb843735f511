#include "sweep/draw.h"

#include "common/record.h"
#include "sextant/runtime/error.h"
#include "sweep/place.h"

namespace sextant::commands {

namespace fs = std::filesystem;

namespace {

/// Hands a report on and keeps its notes.
class Noting : public Progress {
 public:
  explicit Noting(Progress& progress) : progress_(progress) {}
  void begin(const std::string& task, double total, double done, const std::string& unit) override {
    progress_.begin(task, total, done, unit);
  }
  void update(double done) override { progress_.update(done); }
  void end() override { progress_.end(); }
  void note(const std::string& line) override {
    notes += line + "\n";
    progress_.note(line);
  }
  std::string notes;

 private:
  Progress& progress_;
};

/// The settings that the run was begun with: those of another sweep may differ in what does not change the images.
SampleConfig settings_of(const ledger::Run& run, const SampleConfig& wanted) {
  SampleConfig config;
  OptionTable("sample", sample_options(config)).merge(run.settings, "the ledger");
  config.sample.count = wanted.sample.count;
  config.sample.batch = wanted.sample.batch;
  config.run = wanted.run;
  config.run.out = run.folder;
  config.run.alone = true;  // the processes of a launcher's job share the runs of a sweep, each takes whole ones
  return config;
}

}  // namespace

bool drawn(const ledger::Run& run, int64_t count) {
  return run.state == ledger::State::kDone && images_there(run) >= count;
}

Drawing draw_run(const SampleConfig& wanted, ledger::Run& run, ledger::Ledger& ledger, Progress& progress,
                 const Stop& stop) {
  if (drawn(run, wanted.sample.count)) return Drawing::kThere;
  run.state = ledger::State::kDrawing;
  ledger.update(run);
  Noting noting(progress);
  const auto failed = [&](const std::string& why) {
    run.state = ledger::State::kFailed;
    run.log = noting.notes + why;
    ledger.update(run);
  };
  try {
    const SampleConfig config = settings_of(run, wanted);
    const SampleResult result = run_sample(config, noting, stop);
    run.images = result.finished;
    run.state = result.complete() ? ledger::State::kDone : ledger::State::kNew;
    run.log = noting.notes;
    run.versions = versions_record(config.run.device);
    run.seconds_per_image = result.seconds_per_image;
    run.gradient_norm = result.gradient_norm;
    ledger.update(run);
    return !result.complete() ? Drawing::kStopped : result.there_already ? Drawing::kThere : Drawing::kDrawn;
  } catch (const std::exception& error) {
    failed(error.what());
    throw;
  }
}

}  // namespace sextant::commands
