// What a sweep would take, by a step of each run on this machine.
#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <map>
#include <set>
#include <thread>

#include "drawing/batch_sampler.h"
#include "drawing/identity.h"
#include "internal/runtime/text.h"
#include "sextant/runtime/device.h"
#include "sextant/runtime/error.h"
#include "sweep/place.h"
#include "sweep/work.h"

namespace sextant::commands {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

/// What a step of a run costs, and what the rest of its drawing.
struct Estimate {
  double step = 0;    ///< seconds an image
  double beside = 0;  ///< seconds an image, of a run less its steps; below 0 where the last step is half of one
  double memory = 0;  ///< the most bytes that the process held with the models open
  double disk = 0;    ///< bytes an image
};

/// Runs whose steps cost the same: the same networks and sampler, the same number of images at a time.
struct Kind {
  SampleConfig config;                         ///< of the first of them
  std::map<std::string, int64_t> steps;        ///< how many steps a run makes, by steps_word()
  std::map<std::string, std::string> refused;  ///< likewise, why none
  std::string why;                             ///< it cannot be drawn; "" where it can
  Estimate estimate;
};

std::string steps_word(const SampleConfig& config) {
  return std::to_string(config.sampler.steps) + " " + config.sampler.respacing;
}

/// The settings that a step's cost depends on. What only weighs the score's terms, which cost nothing beside a network,
/// does not count, nor which of them there are.
std::string kind_of(const SampleConfig& given) {
  SampleConfig config = given;
  config.sample.batch = std::min(config.sample.batch, config.sample.count);
  json settings = identity_of(config);
  settings["sample"]["batch"] = config.sample.batch;
  const std::map<std::string, std::vector<const char*>> idle = {
      {"sample", {"seed", "labels", "rounding"}},
      {"model", {"denoiser-label"}},
      {"classifier", {"cutout-min"}},
      {"guidance",
       {"alpha", "epsilon", "js-form", "divergence-order", "lambda-max", "lambda-min", "lambda-shape", "tilt",
        "tilt-form", "tilt-group", "scale", "gamma-factor", "gamma-max", "joint-temperature", "marginal-temperature",
        "entropy-driven", "attributes", "attribute-weights", "backward-lr"}},
      {"sampler",
       {"steps", "respacing", "eta", "sigma-min", "sigma-max", "rho", "churn-noise", "max-guidance", "add-factor"}}};
  for (const auto& [table, keys] : idle) {
    for (const char* key : keys) settings[table].erase(key);
  }
  settings["model"]["cfg-scale"] = config.model.cfg_scale != 1;
  settings["model"]["autoguidance-scale"] = config.model.autoguidance_scale != 1;
  settings["classifier"]["softplus-beta"] = config.classifier.softplus_beta > 0;
  if (config.guidance.none()) settings["classifier"] = settings["guidance"] = json();
  if (!config.guidance.none()) settings["guidance"]["guidance"] = true;
  return settings.dump();
}

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

/// Draws a batch in three steps, several times where that is quick, and takes the least: another process may have had
/// the machine. The second step is what each further step costs: the first meets cold memory and kernels, the last of a
/// second-order sampler is half a step.
void measure(Kind& kind) {
  constexpr int64_t kSteps = 3;
  constexpr int kMostDraws = 5;
  constexpr double kPatience = 1;  // seconds
  SampleConfig config = kind.config;
  forget_peak_memory();
  const SamplingModels models = open_models(config);
  int64_t most = 0;
  for (auto& [word, steps] : kind.steps) {
    const std::size_t blank = word.find(' ');
    config.sampler.steps = std::stoll(word.substr(0, blank));
    config.sampler.respacing = word.substr(blank + 1);
    try {
      steps = samplers::num_steps(config.sampler, models.denoiser);
    } catch (const UsageError& error) {
      kind.refused[word] = error.what();
    }
    most = std::max(most, steps);
  }
  if (most == 0) return;
  config.sampler.respacing.clear();
  config.sampler.steps = std::min(kSteps, most);
  std::vector<int64_t> samples;
  for (int64_t i = 0; i < std::min(config.sample.batch, config.sample.count); ++i) samples.push_back(i);
  const auto images = static_cast<double>(samples.size());
  BatchSampler sampler(config, models);
  double whole = std::numeric_limits<double>::infinity(), step = whole;
  const double began = steady_seconds();
  for (int draws = 0; draws < kMostDraws && (draws == 0 || steady_seconds() - began < kPatience); ++draws) {
    std::vector<std::shared_ptr<Stopwatch::Moment>> ends;
    const double start = steady_seconds();
    sampler.draw(samples, [&](double) { ends.push_back(Stopwatch::now(models.device)); });
    whole = std::min(whole, steady_seconds() - start);
    if (most < kSteps) continue;
    Stopwatch second;
    second.add(ends.at(0), ends.at(1));
    step = std::min(step, second.take());
  }
  if (most < kSteps) step = whole / static_cast<double>(most);
  double pixels = models.points ? sizeof(float) : 1;  // bytes of an image
  for (const int64_t size : models.image_shape()) pixels *= static_cast<double>(size);
  kind.estimate = {step / images, (whole - step * static_cast<double>(config.sampler.steps)) / images, peak_memory(),
                   pixels};
}

/// What stands beside the times where other processes have cores that `threads` (0: all) want.
void tell_load(int64_t threads, Progress& progress) {
  const double all = cores();
  double load = 0;
  if (getloadavg(&load, 1) != 1 || load + (threads > 0 ? static_cast<double>(threads) : all) < all + 0.5) return;
  progress.note("note: others have been computing here (a load of " + report::fixed(load, 1) + " on " +
                report::fixed(all, 0) + " cores in the last minute): alone it is quicker than what follows");
}

/// measure() of each kind of the runs whose weights are there.
std::map<std::string, Kind> measured_kinds(const std::vector<SweepRun>& runs, int64_t threads, Progress& progress) {
  std::map<std::string, Kind> kinds;
  std::vector<Kind*> found;
  for (const SweepRun& run : runs) {
    const SampleConfig config = with_score(run.config);
    if (!missing_of(config).empty()) continue;
    const auto [at, is_new] = kinds.try_emplace(kind_of(config), Kind{config, {}, {}, "", {}});
    if (is_new) found.push_back(&at->second);
    at->second.steps[steps_word(config)] = 0;
  }
  if (found.empty()) return kinds;
  tell_load(threads, progress);
  progress.begin("measure", static_cast<double>(found.size()), 0, "kinds of run");
  for (std::size_t i = 0; i < found.size(); ++i) {
    try {
      measure(*found[i]);
    } catch (const Error& error) {
      found[i]->why = error.what();
    }
    progress.update(static_cast<double>(i + 1));
  }
  progress.end();
  return kinds;
}

std::string size_text(double bytes) {
  constexpr double kMega = 1 << 20;
  constexpr double kGiga = 1 << 30;
  return bytes < kGiga ? report::fixed(bytes / kMega, bytes < 10 * kMega ? 1 : 0) + " MiB"
                       : report::fixed(bytes / kGiga, 1) + " GiB";
}

}  // namespace

SweepPlan plan_sweep(const json& recipe, const SweepConfig& config, Progress& progress) {
  const std::vector<SweepRun> runs = sweep_runs(recipe, config);
  check_settings(runs, progress);
  set_threads(static_cast<int>(config.run.threads));
  const std::map<std::string, Kind> kinds = measured_kinds(runs, config.run.threads, progress);
  SweepPlan plan;
  plan.table.header = {"cell", "seed", "images", "there", "s/image", "time", "memory", "disk", "missing"};
  plan.numbers = json::array();
  std::map<std::string, std::vector<std::string>> refused;  // cells by what is wrong with them
  std::set<std::string> missing;
  double seconds = 0, disk = 0;
  for (const SweepRun& run : runs) {
    const SampleConfig drawn = with_score(run.config);
    json row = {{"cell", run.column.empty() ? run.row : run.row + ", " + run.column},
                {"seed", drawn.sample.seed},
                {"images", drawn.sample.count},
                {"missing", ""}};
    std::vector<std::string> cells = {row["cell"].get<std::string>(), row["seed"].dump(), row["images"].dump()};
    const std::vector<std::string> lacks = missing_of(drawn);
    missing.insert(lacks.begin(), lacks.end());
    std::string why = joined(lacks, ", ");
    if (lacks.empty()) {
      const Kind& kind = kinds.at(kind_of(drawn));
      const auto own = kind.refused.find(steps_word(drawn));
      why = own == kind.refused.end() ? kind.why : own->second;
      std::vector<std::string>& same = refused[why];
      if (std::find(same.begin(), same.end(), cells[0]) == same.end()) same.push_back(cells[0]);
    }
    if (why.empty()) {
      const Kind& kind = kinds.at(kind_of(drawn));
      const auto steps = static_cast<double>(kind.steps.at(steps_word(drawn)));
      const double each = std::max(0.0, steps * kind.estimate.step + kind.estimate.beside);
      const int64_t there = images_kept(run.config, config);
      const auto left = static_cast<double>(std::max<int64_t>(0, drawn.sample.count - there));
      const double bytes = 2 * kind.estimate.disk * left;  // while it draws, once more in samples.npz
      seconds += left * each;
      disk += bytes;
      row.update({{"there", there},
                  {"seconds_per_image", each},
                  {"seconds", left * each},
                  {"memory_bytes", kind.estimate.memory},
                  {"disk_bytes", bytes}});
      cells.insert(cells.end(), {std::to_string(there), report::fixed(each, 4), format_duration(left * each),
                                 size_text(kind.estimate.memory), size_text(bytes), ""});
    } else {
      row["missing"] = why;
      cells.insert(cells.end(), {"", "", "", "", "", why});
    }
    plan.numbers.push_back(std::move(row));
    plan.table.rows.push_back(std::move(cells));
  }
  const std::vector<std::string> judge = missing_of_judge(recipe, config);
  missing.insert(judge.begin(), judge.end());
  const auto measured =
      std::count_if(kinds.begin(), kinds.end(), [](const auto& kind) { return kind.second.estimate.step > 0; });
  progress.note(std::to_string(runs.size()) + " runs" +
                (measured == 0
                     ? ""
                     : "; what can be drawn takes " + format_duration(seconds) + " and at most " + size_text(disk) +
                           " here, by the least of up to 5 measured steps of each of " + std::to_string(measured) +
                           " kinds of run (the same networks, sampler and batch)"));
  refused.erase("");
  for (const auto& [why, cells] : refused) {
    progress.note("cannot be drawn: " + cells[0] +
                  (cells.size() > 1 ? " and " + std::to_string(cells.size() - 1) + " more" : "") + ": " + why);
  }
  if (!judge.empty()) progress.note("to score them is missing: " + joined(judge, ", "));
  if (!missing.empty()) {
    progress.note("missing: " + joined({missing.begin(), missing.end()}, ", ") +
                  "; docs/checkpoints.md says where to get published files");
  }
  plan.csv = plain_table(
      {"cell", "seed", "images", "there", "seconds_per_image", "seconds", "memory_bytes", "disk_bytes", "missing"},
      plan.numbers);
  return plan;
}

}  // namespace sextant::commands
