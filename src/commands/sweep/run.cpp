#include <algorithm>
#include <optional>

#include "common/points.h"
#include "common/record.h"
#include "common/run_folder.h"
#include "common/run_options.h"
#include "internal/commands/sweep.h"
#include "internal/runtime/files.h"
#include "sextant/checkpoint/npz.h"
#include "sextant/report/drawing.h"
#include "sextant/report/pictures.h"
#include "sextant/runtime/device.h"
#include "sextant/runtime/error.h"
#include "sweep/sample_scorer.h"

namespace sextant::commands {

using nlohmann::json;

namespace {

/// Tells which run of how many a progress report is about.
class NumberedProgress : public Progress {
 public:
  NumberedProgress(Progress& progress, std::string title) : progress_(progress), title_(std::move(title)) {}
  void begin(const std::string&, double total, double done, const std::string& unit) override {
    progress_.begin(title_, total, done, unit);
  }
  void update(double done) override { progress_.update(done); }
  void end() override { progress_.end(); }
  void note(const std::string& line) override { progress_.note(title_ + ": " + line); }

 private:
  Progress& progress_;
  std::string title_;
};

struct Finished {
  SweepRun run;
  SampleResult result;
  std::optional<SampleScore> score;
};

std::string name_of(const SweepRun& run) { return run.column.empty() ? run.row : run.row + ", " + run.column; }

/// Errors of `action` with the name of the run that they are about.
template <class Action>
auto naming(const SweepRun& run, Action&& action) {
  try {
    return action();
  } catch (const UsageError& error) {
    throw UsageError(name_of(run) + ": " + error.what());
  } catch (const Error& error) {
    throw Error(name_of(run) + ": " + error.what());
  }
}

SampleResult run_one(const SweepRun& run, std::size_t number, std::size_t count, Progress& progress, const Stop& stop) {
  const std::string title = c10::str("[", number, "/", count, "] ", name_of(run));
  NumberedProgress numbered(progress, title);
  return naming(run, [&] { return run_sample(run.config, numbered, stop); });
}

report::Table table_of(const std::vector<Finished>& runs) {
  const bool columns = std::any_of(runs.begin(), runs.end(), [](const Finished& f) { return !f.run.column.empty(); });
  const bool judged = std::any_of(runs.begin(), runs.end(), [](const Finished& f) { return f.score.has_value(); });
  report::Table table;
  table.header = {"method"};
  if (columns) table.header.emplace_back("model");
  if (judged) table.header.insert(table.header.end(), {"read as asked, %", "Frechet distance"});
  table.header.insert(table.header.end(), {"images", "s/image", "gradient norm"});
  for (const Finished& run : runs) {
    std::vector<std::string> row = {run.run.row};
    if (columns) row.push_back(run.run.column);
    if (judged) {
      row.push_back(report::fixed(100 * run.score->accuracy, 1));
      row.push_back(run.score->frechet ? report::fixed(*run.score->frechet, 2) : "");
    }
    row.push_back(std::to_string(run.result.finished));
    row.push_back(report::fixed(run.result.seconds_per_image, 4));
    row.push_back(report::fixed(run.result.gradient_norm, 4));
    table.rows.push_back(std::move(row));
  }
  return table;
}

/// Rows and columns of the sweep with the first images of each run.
report::Drawing overview(const std::vector<Finished>& runs, const SweepConfig& config) {
  report::Montage montage;
  montage.title = config.title;
  for (const Finished& run : runs) {
    const auto place = [](std::vector<std::string>& names, const std::string& name) {
      const auto found = std::find(names.begin(), names.end(), name);
      if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
      names.push_back(name);
      return names.size() - 1;
    };
    const std::size_t row = place(montage.rows, run.run.row);
    const std::size_t column = place(montage.columns, run.run.column);
    const checkpoint::NpzReader samples(run.run.config.run.out + "/samples.npz");
    const Tensor images = samples.read("arr_0");
    montage.cells.resize(std::max(montage.cells.size(), row + 1));
    montage.cells[row].resize(std::max(montage.cells[row].size(), column + 1));
    if (images.is_floating_point()) {
      montage.cells[row][column] = report::rasterized(draw_points(images, samples.read("arr_1").to(at::kLong)));
      continue;
    }
    const int64_t shown = std::min(images.size(0), config.picture_images);
    report::GridStyle style{std::min<int64_t>(10, shown), 1, std::max<int64_t>(1, 56 / images.size(2)), 160};
    montage.cells[row][column] = report::grid(images.narrow(0, 0, shown), style);
  }
  return report::draw(montage);
}

json record_of(const json& recipe, const SweepConfig& given, const std::vector<Finished>& runs, std::size_t count) {
  SweepConfig config = given;
  json settings = recipe;
  settings["sweep"] = OptionTable("sweep", sweep_options(config)).to_json()["sweep"];
  json results = json::array();
  for (const Finished& run : runs) {
    json result = {{"row", run.run.row},
                   {"column", run.run.column},
                   {"images", run.result.finished},
                   {"seconds_per_image", run.result.seconds_per_image},
                   {"gradient_norm", run.result.gradient_norm}};
    if (run.score) {
      result["accuracy"] = run.score->accuracy;
      if (run.score->frechet) result["frechet_distance"] = *run.score->frechet;
    }
    results.push_back(result);
  }
  return {{"command", "sweep"},
          {"config", settings},
          {"versions", versions_record("")},
          {"complete", runs.size() == count},
          {"results", results}};
}

}  // namespace

std::vector<OptionGroup> sweep_options(SweepConfig& c) {
  return {{"sweep",
           "The grid and its judge",
           {
               {"--title", &c.title, Anything{}, "Title of the picture", "TEXT"},
               {"--judge", &c.judge, Anything{},
                "Feature network that reads the images, not the guide, as --features of evaluate", "PATH"},
               {"--reference", &c.reference, Anything{},
                "Statistics of the judge's features, or images, for the Frechet distance", "PATH"},
               out_option(c.run, "table.md, table.csv, overview.png, run.json and the runs"),
               {"--count", &c.count, Range{0, 1e9}, "Images per run; 0 is what the recipe says", ""},
               {"--steps", &c.steps, Range{0, 1e6}, "Steps of every run; 0 is what the recipe says", ""},
               {"--device", &c.run.device, Anything{}, "Device of every run; empty is what the recipe says", "NAME"},
               threads_option(c.run),
               {"--picture-images", &c.picture_images, Range{1, 1e4}, "Images of each run in overview.png", ""},
               overwrite_option(c.run, "Replace the samples of other settings in --out"),
               quiet_option(c.run),
           }}};
}

SweepResult run_sweep(const json& recipe, const SweepConfig& config, Progress& progress, const Stop& stop) {
  const std::vector<SweepRun> runs = sweep_runs(recipe, config);
  for (const SweepRun& run : runs) naming(run, [&] { check_settings(run.config); });
  check_writable_folder(config.run.out);
  set_threads(static_cast<int>(config.run.threads));
  std::optional<SampleScorer> scorer;
  if (!config.judge.empty()) {
    scorer.emplace(config.judge, config.reference, parse_device(config.run.device.empty() ? "cpu" : config.run.device));
  }
  std::vector<Finished> finished;
  for (std::size_t i = 0; i < runs.size() && !stop.requested(); ++i) {
    Finished run{runs[i], run_one(runs[i], i + 1, runs.size(), progress, stop), {}};
    if (!run.result.complete()) break;
    if (scorer) run.score = scorer->score(run.run.config.run.out + "/samples.npz");
    finished.push_back(std::move(run));
  }
  SweepResult result{table_of(finished), static_cast<int64_t>(finished.size()), static_cast<int64_t>(runs.size())};
  if (finished.empty()) return result;
  const std::filesystem::path out = config.run.out;
  write_atomically(out / "table.md", report::format_table(result.table, report::TableFormat::kMarkdown));
  write_atomically(out / "table.csv", report::format_table(result.table, report::TableFormat::kCsv));
  if (report::can_draw()) report::write_drawing(out / "overview.png", overview(finished, config));
  write_atomically(out / "run.json", record_of(recipe, config, finished, runs.size()).dump(2) + "\n");
  return result;
}

}  // namespace sextant::commands
