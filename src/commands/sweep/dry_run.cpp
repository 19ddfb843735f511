// What a sweep would take, by a step of each run on this machine.
#include <malloc.h>

#include <fstream>
#include <set>

#include "drawing/batch_sampler.h"
#include "internal/runtime/text.h"
#include "sextant/runtime/device.h"
#include "sextant/runtime/error.h"
#include "sweep/place.h"
#include "sweep/work.h"

namespace sextant::commands {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

struct Estimate {
  double seconds_per_image = 0;
  double memory = 0;  ///< the most bytes that the process held with the models open
  double disk = 0;    ///< bytes an image
};

/// The kernel's mark of the most memory starts anew, without what the cell before has freed.
void forget_peak_memory() {
#if defined(__GLIBC__)
  malloc_trim(0);
#endif
  std::ofstream("/proc/self/clear_refs") << 5;
}

double peak_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    double kilobytes = 0;
    if (word == "VmHWM:" && status >> kilobytes) return 1024 * kilobytes;
  }
  return 0;
}

/// Draws a batch in three steps. The second is what each further step costs: the first meets cold memory and kernels,
/// the last of a second-order sampler is half a step.
Estimate measured(SampleConfig config) {
  constexpr int64_t kSteps = 3;
  forget_peak_memory();
  const SamplingModels models = open_models(config);
  const int64_t steps = samplers::num_steps(config.sampler, models.denoiser);
  config.sampler.respacing.clear();
  config.sampler.steps = std::min(kSteps, steps);
  std::vector<int64_t> samples;
  for (int64_t i = 0; i < std::min(config.sample.batch, config.sample.count); ++i) samples.push_back(i);
  BatchSampler sampler(config, models);
  std::vector<std::shared_ptr<Stopwatch::Moment>> ends;
  const double start = steady_seconds();
  sampler.draw(samples, [&](double) { ends.push_back(Stopwatch::now(models.device)); });
  double seconds = steady_seconds() - start;
  if (steps > kSteps) {
    Stopwatch second;
    second.add(ends.at(0), ends.at(1));
    seconds += second.take() * static_cast<double>(steps - kSteps);
  }
  double pixels = models.points ? sizeof(float) : 1;  // bytes of an image
  for (const int64_t size : models.image_shape()) pixels *= static_cast<double>(size);
  return {seconds / static_cast<double>(samples.size()), peak_memory(), pixels};
}

std::vector<std::string> missing_of(const SampleConfig& config) {
  std::vector<std::string> missing;
  for (const std::string& path : weights_of(config)) {
    if (!fs::exists(path)) missing.push_back(path);
  }
  return missing;
}

std::vector<std::string> missing_of_judge(const json& recipe, const SweepConfig& config) {
  std::vector<std::string> wanted = {config.judge, config.reference};
  if (const auto evaluate = sweep_evaluation(recipe, config)) {
    wanted.insert(wanted.end(), {evaluate->features.path, evaluate->reference});
    for (const std::string& path : split(evaluate->classifier.path, ',')) wanted.push_back(path);
  }
  std::erase_if(wanted, [](const std::string& path) { return path.empty() || fs::exists(path); });
  return wanted;
}

/// Images of the run that need not be drawn.
int64_t images_kept(const SampleConfig& config, const SweepConfig& sweep) {
  const fs::path file = sweep.ledger.empty() ? fs::path(sweep.run.out) / "ledger.sqlite" : fs::path(sweep.ledger);
  if (!fs::exists(file)) return 0;
  ledger::Ledger ledger(file);
  const auto run = ledger.find(described_run(config, ledger).key);
  return run && run->state == ledger::State::kDone ? run->images : 0;
}

/// measured() of a cell once, as its seeds take the same time; why it cannot be drawn, or "".
std::string measure(const std::string& cell, const SampleConfig& config, std::map<std::string, Estimate>& known,
                    std::map<std::string, std::string>& refused) {
  if (refused.contains(cell)) return refused[cell];
  if (known.contains(cell)) return "";
  try {
    known[cell] = measured(with_score(config));
    return "";
  } catch (const Error& error) {
    return refused[cell] = error.what();
  }
}

std::string size_text(double bytes) {
  constexpr double kMega = 1 << 20;
  constexpr double kGiga = 1 << 30;
  return bytes < kGiga ? report::fixed(bytes / kMega, bytes < 10 * kMega ? 1 : 0) + " MiB"
                       : report::fixed(bytes / kGiga, 1) + " GiB";
}

}  // namespace

report::Table plan_sweep(const json& recipe, const SweepConfig& config, Progress& progress) {
  const std::vector<SweepRun> runs = sweep_runs(recipe, config);
  check_settings(runs, progress);
  set_threads(static_cast<int>(config.run.threads));
  report::Table table;
  table.header = {"cell", "seed", "images", "there", "s/image", "time", "memory", "disk", "missing"};
  std::map<std::string, Estimate> known;
  std::map<std::string, std::string> refused;
  std::set<std::string> missing;
  double seconds = 0, disk = 0;
  for (const SweepRun& run : runs) {
    const std::string cell = run.column.empty() ? run.row : run.row + ", " + run.column;
    std::vector<std::string> row = {cell, std::to_string(run.config.sample.seed),
                                    std::to_string(run.config.sample.count)};
    const std::vector<std::string> lacks = missing_of(run.config);
    missing.insert(lacks.begin(), lacks.end());
    const std::string why = lacks.empty() ? measure(cell, run.config, known, refused) : joined(lacks, ", ");
    if (why.empty()) {
      const Estimate& estimate = known[cell];
      const int64_t there = images_kept(run.config, config);
      const auto left = static_cast<double>(std::max<int64_t>(0, run.config.sample.count - there));
      const double bytes = 2 * estimate.disk * left;  // while it draws, once more in samples.npz
      seconds += left * estimate.seconds_per_image;
      disk += bytes;
      row.insert(row.end(), {std::to_string(there), report::fixed(estimate.seconds_per_image, 4),
                             format_duration(left * estimate.seconds_per_image), size_text(estimate.memory),
                             size_text(bytes), ""});
    } else {
      row.insert(row.end(), {"", "", "", "", "", why});
    }
    table.rows.push_back(std::move(row));
  }
  const std::vector<std::string> judge = missing_of_judge(recipe, config);
  missing.insert(judge.begin(), judge.end());
  progress.note(std::to_string(runs.size()) + " runs" +
                (known.empty() ? ""
                               : "; what can be drawn takes " + format_duration(seconds) + " and at most " +
                                     size_text(disk) + " here, by a measured step of each"));
  for (const auto& [cell, why] : refused) progress.note("cannot be drawn: " + cell + ": " + why);
  if (!judge.empty()) progress.note("to score them is missing: " + joined(judge, ", "));
  if (!missing.empty()) {
    progress.note("missing: " + joined({missing.begin(), missing.end()}, ", ") +
                  "; docs/checkpoints.md says where to get published files");
  }
  return table;
}

}  // namespace sextant::commands
