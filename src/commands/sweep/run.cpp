#include <chrono>
#include <thread>

#include "common/placement.h"
#include "common/record.h"
#include "common/run_folder.h"
#include "drawing/claim.h"
#include "internal/distributed/world.h"
#include "internal/runtime/files.h"
#include "sextant/report/drawing.h"
#include "sextant/runtime/device.h"
#include "sextant/runtime/error.h"
#include "sweep/draw.h"
#include "sweep/lines.h"
#include "sweep/numbered_progress.h"
#include "sweep/overview.h"
#include "sweep/place.h"
#include "sweep/work.h"

namespace sextant::commands {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

bool reads_labels(const Work& work) {
  return std::any_of(work.scores.begin(), work.scores.end(),
                     [](const ledger::Score& one) { return one.metric == "accuracy"; });
}

/// A sweep under way.
class Sweeping {
 public:
  Sweeping(const json& recipe, const SweepConfig& config, Progress& progress, const Stop& stop)
      : recipe_(recipe), config_(config), progress_(progress), stop_(stop), judge_(recipe, config), ledger_([&] {
          check_writable_folder(config.run.out);
          return config.ledger.empty() ? fs::path(config.run.out) / "ledger.sqlite" : fs::path(config.ledger);
        }()) {}

  SweepResult result(const std::vector<SweepRun>& runs);

 private:
  /// Adds all runs and the cells that stand on them, so that `sextant runs` knows their names from now on.
  void begin();
  void work_through();
  /// Whether the ledger has all of the run that is wanted.
  bool settled(Work& work);
  /// Whether the run is settled: done, failed or stopped; else another process is at it.
  bool settle(Work& work, std::size_t number);
  void score(Work& work, Progress& progress);
  void fail(Work& work, const std::string& why);
  void record_cells();
  std::vector<ResultLine> lines();
  void compare(std::vector<ResultLine>& lines, const std::vector<std::vector<Work*>>& members);
  const Scored& scored(Work& work);
  /// Of the first images, those of the picture at least.
  Tensor correct(Work& work);
  void write(const std::vector<ResultLine>& lines, const json& results);

  const json& recipe_;
  const SweepConfig& config_;
  Progress& progress_;
  const Stop& stop_;
  distributed::World world_ = distributed::world_of(distributed::process_environment());
  Judge judge_;
  ledger::Ledger ledger_;
  std::string judge_key_;
  std::vector<Work> works_;
  SweepResult result_;
};

void Sweeping::fail(Work& work, const std::string& why) {
  work.why = why;
  result_.failures.push_back({work.name, why});
  progress_.note("failed: " + work.name + ": " + why);
}

void Sweeping::score(Work& work, Progress& progress) {
  const int64_t count = work.run.config.sample.count;
  work.scored = judge_.score(fs::path(work.place->folder) / "samples.npz", count, progress, stop_);
  if (stop_.requested()) {
    work.scored.reset();
    return;
  }
  work.scores = work.scored->scores;
  find_place(work, ledger_);
  ledger_.put_scores(work.place->id, judge_key_, count, work.scores);
}

bool Sweeping::settled(Work& work) {
  const int64_t count = work.run.config.sample.count;
  if (!judge_) return drawn(*work.place, count);
  work.scores = ledger_.scores(work.place->id, judge_key_, count);
  return !work.scores.empty();
}

bool Sweeping::settle(Work& work, std::size_t number) {
  const SampleConfig& config = work.run.config;
  NumberedProgress numbered(progress_, c10::str("[", number + 1, "/", works_.size(), "] ", work.name));
  try {
    if (find_place(work, ledger_) && world_.rank == 0) record_cells();
  } catch (const Error& error) {
    work.place = ledger_.find_or_add(refused_run(config, error.what()));
    fail(work, error.what());
    return true;
  }
  try {
    if (!settled(work)) {
      const Claim claim(work.place->folder, !drawn(*work.place, config.sample.count));
      if (!claim.held()) return false;
      find_place(work, ledger_);  // another process may have finished it a moment ago
      if (!settled(work)) {
        const Drawing drawing = draw_run(config, *work.place, ledger_, numbered, stop_);
        if (drawing == Drawing::kStopped) return true;
        result_.drawn += drawing == Drawing::kDrawn ? 1 : 0;
        if (judge_) score(work, numbered);
        if (stop_.requested()) return true;
      }
    }
    work.done = true;
    ++result_.finished;
  } catch (const std::exception& error) {
    fail(work, error.what());
  }
  return true;
}

void Sweeping::begin() {
  for (Work& work : works_) {
    if (stop_.requested()) return;
    try {
      find_place(work, ledger_);
    } catch (const Error&) {
      work.place.reset();  // its turn comes, and says why
    }
  }
  record_cells();
}

void Sweeping::work_through() {
  std::vector<std::size_t> pending(works_.size());
  for (std::size_t i = 0; i < pending.size(); ++i) pending[i] = i;
  // The processes of a job begin at different places.
  std::rotate(pending.begin(), pending.begin() + world_.rank * result_.count / world_.size, pending.end());
  bool told = false;
  while (!pending.empty() && !stop_.requested()) {
    std::vector<std::size_t> later;
    for (const std::size_t i : pending) {
      if (stop_.requested()) break;
      if (!settle(works_[i], i)) later.push_back(i);
    }
    if (!stop_.requested() && later.size() == pending.size()) {
      if (world_.rank > 0) break;  // all are taken; the first process waits for them
      if (!told) progress_.note("waiting for another process that draws " + works_[later[0]].name);
      told = true;
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
    pending = std::move(later);
  }
}

void Sweeping::record_cells() {
  std::vector<ledger::Cell> cells;
  for (Work& work : works_) {
    if (!work.place) continue;
    if (find_place(work, ledger_) && !work.scores.empty()) {
      ledger_.put_scores(work.place->id, judge_key_, work.run.config.sample.count, work.scores);
    }
    cells.push_back({work.run.row, work.run.column, work.run.config.sample.seed, work.place->id,
                     work.run.config.sample.count, judge_key_, work.run.paper});
  }
  ledger_.put_sweep({0, config_.title, fs::weakly_canonical(fs::absolute(config_.run.out)).string(), recipe_, ""},
                    cells);
}

const Scored& Sweeping::scored(Work& work) {
  if (work.scored) return *work.scored;
  work.scored = Scored{work.scores, {}, {}, {}};
  // A distance with an interval is one of few dimensions, quick to have again; others are compared by their numbers.
  const bool quick = std::any_of(work.scores.begin(), work.scores.end(),
                                 [](const ledger::Score& one) { return one.metric == "fid" && one.low.has_value(); });
  const int64_t count = work.run.config.sample.count;
  if ((!quick && !reads_labels(work)) || images_there(*work.place) < count) return *work.scored;
  NumberedProgress numbered(progress_, "comparing " + work.name);
  Scored again = judge_.score(fs::path(work.place->folder) / "samples.npz", count, numbered, stop_, !quick);
  again.scores = work.scores;
  work.scored = std::move(again);
  return *work.scored;
}

Tensor Sweeping::correct(Work& work) {
  if (work.scored) return work.scored->correct;
  const int64_t shown = std::min(work.run.config.sample.count, config_.picture_images);
  if (!judge_.compares() || !reads_labels(work) || images_there(*work.place) < shown || stop_.requested()) return {};
  NumberedProgress numbered(progress_, "reading " + work.name);
  return judge_.score(fs::path(work.place->folder) / "samples.npz", shown, numbered, stop_, true).correct;
}

void Sweeping::compare(std::vector<ResultLine>& lines, const std::vector<std::vector<Work*>>& members) {
  const std::string wanted = config_.baseline.empty() && !works_.empty() ? works_[0].run.row : config_.baseline;
  for (std::size_t base = 0; base < lines.size(); ++base) lines[base].baseline = lines[base].row == wanted;
  for (std::size_t i = 0; i < lines.size() && !stop_.requested(); ++i) {
    for (std::size_t base = 0; base < lines.size(); ++base) {
      const bool pair = lines[base].baseline && i != base && lines[base].column == lines[i].column &&
                        lines[base].seeds == lines[i].seeds;
      if (!pair) continue;
      json key = {{"judge", judge_key_}, {"level", judge_.level()}};
      for (const Work* work : members[i]) key["row"].push_back({work->place->key, work->run.config.sample.count});
      for (const Work* work : members[base]) {
        key["baseline"].push_back({work->place->key, work->run.config.sample.count});
      }
      const std::string name = hash_of_text(key.dump());
      std::vector<ledger::Score> found = ledger_.differences(name);
      if (found.empty()) {
        std::vector<Scored> row, baseline;
        for (Work* work : members[i]) row.push_back(scored(*work));
        for (Work* work : members[base]) baseline.push_back(scored(*work));
        if (stop_.requested()) return;
        found = differences(row, baseline, judge_.level());
        ledger_.put_differences(name, found);
      }
      for (MetricLine& metric : lines[i].metrics) {
        for (const ledger::Score& difference : found) {
          if (difference.metric == metric.metric) metric.difference = difference;
        }
      }
    }
  }
}

std::vector<ResultLine> Sweeping::lines() {
  std::vector<std::vector<Work*>> members;
  std::vector<ResultLine> lines = lines_of(works_, members);
  if (judge_.compares()) {
    compare(lines, members);
    result_.compared = !stop_.requested();
  }
  mark_best(lines);
  return lines;
}

void Sweeping::write(const std::vector<ResultLine>& lines, const json& results) {
  const fs::path out = config_.run.out;
  write_atomically(out / "table.md", report::format_table(result_.table, report::TableFormat::kMarkdown));
  write_atomically(out / "table.csv", report::format_table(results_csv(result_.results), report::TableFormat::kCsv));
  write_atomically(out / "table.tex", report::format_table(result_.table, report::TableFormat::kLatex));
  if (report::can_draw()) {
    std::vector<ShownRun> shown;
    for (const ResultLine& line : lines) {
      Work& first = *std::find_if(works_.begin(), works_.end(),
                                  [&](const Work& work) { return work.done && work.place->id == line.runs[0]; });
      shown.push_back({line.row, line.column, first.place->folder, {}, {}});
      for (const MetricLine& metric : line.metrics) {
        if (metric.metric == "accuracy") shown.back().accuracy = metric.mean;
      }
      shown.back().correct = correct(first);
    }
    report::write_drawing(out / "overview.png", overview(shown, config_));
    const auto label = [this](const std::string& metric) { return judge_.label(metric); };
    write_differences(out, differences_drawing(lines, label, judge_.level()));
  }
  write_atomically(out / "run.json", sweep_record(recipe_, config_, result_, results, ledger_.path()).dump(2) + "\n");
}

SweepResult Sweeping::result(const std::vector<SweepRun>& runs) {
  judge_key_ = judge_.key(ledger_);
  works_ = works_of(runs);
  result_.count = static_cast<int64_t>(works_.size());
  if (world_.rank == 0) begin();
  work_through();
  if (world_.rank > 0) {  // the first process tells what came out, and what failed
    result_.failures.clear();
    if (!stop_.requested()) result_.count = result_.finished;
    return std::move(result_);
  }
  record_cells();
  const std::vector<ResultLine> finished = lines();
  result_.table = results_table(
      finished, [this](const std::string& metric) { return judge_.label(metric); }, judge_.level());
  const json results = results_json(finished);
  result_.results = results;
  if (!stop_.requested()) add_failed(result_.table, result_.results, works_);
  if (!finished.empty()) write(finished, results);
  return std::move(result_);
}

}  // namespace

SweepResult run_sweep(const json& recipe, const SweepConfig& config, Progress& progress, const Stop& stop) {
  const std::vector<SweepRun> runs = sweep_runs(recipe, config);
  check_settings(runs, progress);
  RunConfig here = config.run;
  place(here);
  set_threads(static_cast<int>(here.threads));
  return Sweeping(recipe, config, progress, stop).result(runs);
}

}  // namespace sextant::commands
