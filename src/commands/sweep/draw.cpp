#include "sweep/draw.h"

#include "common/record.h"
#include "common/run_folder.h"
#include "drawing/identity.h"
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

/// Whether the images in the run's folder are its own, as far as their record says, and not those of another that was
/// drawn over them.
bool holds(const ledger::Run& run) {
  try {
    const nlohmann::json record = former_record(fs::path(run.folder) / "run.json", "config");
    if (!record.is_object()) return true;
    SampleConfig there, wanted;
    OptionTable("sample", sample_options(there)).merge(record.at("config"), "run.json");
    OptionTable("sample", sample_options(wanted)).merge(run.settings, "the ledger");
    wanted = resolved(wanted);
    wanted.run.device = there.run.device;  // drawn on another machine
    return identity_of(there) == identity_of(wanted);
  } catch (const Error&) {  // of another version
    return true;
  }
}

/// Other runs whose images were in the folder are not drawn any more.
void take_folder(const ledger::Run& run, ledger::Ledger& ledger) {
  for (ledger::Run other : ledger.runs()) {
    if (other.id == run.id || other.folder != run.folder || other.state != ledger::State::kDone) continue;
    other.state = ledger::State::kNew;
    other.images = 0;
    ledger.update(other);
  }
}

}  // namespace

bool drawn(const ledger::Run& run, int64_t count) {
  return run.state == ledger::State::kDone && images_there(run) >= count && holds(run);
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
    if (result.finished > 0) take_folder(run, ledger);
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
