#include <algorithm>

#include "command.h"
#include "internal/commands/calibrate.h"
#include "internal/commands/evaluate.h"
#include "internal/commands/inspect.h"
#include "internal/commands/made_folders.h"
#include "internal/commands/merge.h"
#include "internal/commands/report.h"
#include "internal/commands/runs.h"
#include "internal/commands/sample.h"
#include "internal/commands/sweep.h"
#include "internal/commands/theory.h"
#include "internal/commands/trace.h"
#include "internal/commands/train.h"
#include "internal/distributed/group.h"
#include "internal/runtime/json_file.h"
#include "internal/runtime/text.h"
#include "sextant/report/drawing.h"
#include "sextant/runtime/error.h"
#include "sextant/runtime/progress.h"
#include "terminal.h"

namespace sextant::cli {
namespace {

using namespace commands;
using nlohmann::json;

/// What a run leaves for the terminal.
struct Report {
  bool complete = false;     ///< false after a stop
  std::string text;          ///< for stdout
  std::string failure = {};  ///< what failed although the rest was done
};

/// What differs between commands, over settings of type Config.
template <typename Config>
struct Job {
  std::vector<OptionGroup> (*options)(Config& config);
  Report (*run)(Config& config, const std::string& argument, Progress& progress, const Stop& stop);
  Config defaults = {};
  void (*take)(json& tables, Config& config, const std::string& source) = [](json&, Config&, const std::string&) {};
  bool (*quiet)(const Config& config) = [](const Config& config) { return config.run.quiet; };
  bool shared = false;  ///< a launcher's processes do it together
  bool draws = true;    ///< charts are among what it leaves
  bool any_record = false;
};

template <typename Config>
Command row(const std::string& name, const std::string& summary, const Job<Config>& job,
            const std::string& argument = "", bool needs_argument = false) {
  const auto open = [name, job] {
    const auto config = std::make_shared<Config>(job.defaults);
    const auto run = [job, config](const std::string& given) {
      Stop stop;
      const StopOnSignals handlers(stop);
      // One of a launcher's processes speaks for all.
      const distributed::World world = distributed::world_of(distributed::process_environment());
      const bool speaks = world.rank == 0;
      if (!job.shared && !speaks) return 0;  // one process is enough
      static std::ostream nowhere(nullptr);
      const auto progress =
          speaks ? terminal_progress(job.quiet(*config)) : make_progress(ProgressStyle::kQuiet, nowhere);
      if (job.draws && !report::can_draw()) progress->note("note: built without cairo: no charts");
      try {
        const MadeFolders folders;
        const Report report = job.run(*config, given, *progress, stop);
        if (speaks) print(report.text);
        if (!report.failure.empty()) throw Error(report.failure);
        return report.complete ? 0 : stop.exit_code();
      } catch (const distributed::LostProcess& lost) {
        if (!lost.first()) return 1;
        throw;
      } catch (const UsageError& error) {
        if (!speaks && world.local_rank > 0) return error.exit_code();  // the same line as the first one's
        throw;
      }
    };
    const auto take = [job, config](json& tables, const std::string& source) { job.take(tables, *config, source); };
    return Invocation{OptionTable(name, job.options(*config)), take, run};
  };
  return {name, summary, argument, needs_argument, open, job.shared, job.any_record};
}

std::string of_all(int64_t finished, int64_t count, const std::string& what, const std::string& out) {
  return std::to_string(finished) + " of " + std::to_string(count) + " " + what + " in " + out;
}

Report sample(SampleConfig& config, const std::string&, Progress& progress, const Stop& stop) {
  for (const std::string& line : settings_without_effect(config)) progress.note(line);
  const SampleResult result = run_sample(config, progress, stop);
  if (config.run.quiet) return {result.complete(), ""};
  const bool others = result.left_to_others && result.finished < result.count;
  return {result.complete(), of_all(result.finished, result.count, "images", config.run.out) +
                                 (result.there_already ? " (drawn before this run)\n"
                                  : others             ? "; the others are other tasks' share\n"
                                                       : "\n")};
}

Report evaluate(EvaluateConfig& config, const std::string& samples, Progress& progress, const Stop& stop) {
  if (!samples.empty()) config.samples = samples;
  const EvaluateResult result = run_evaluate(config, progress, stop);
  return {result.complete, result.evaluation ? evaluation_text(*result.evaluation, config.format) : ""};
}

Report calibrate(CalibrateConfig& config, const std::string&, Progress& progress, const Stop& stop) {
  const CalibrateResult result = run_calibrate(config, progress, stop);
  return {result.complete, result.complete ? calibrate_text(result, config.format) : ""};
}

Report trained(const TrainConfig& config, const TrainResult& result, const std::string& what) {
  std::string text = finetune_text(result);
  if (!config.run.quiet) {
    text += (result.complete ? what + " in " : "stopped; the same command continues in ") + config.run.out + ", " +
            std::to_string(result.steps) + " steps" + (result.there_already ? " (trained before this run)\n" : "\n");
  }
  return {result.complete, text};
}

Report train(TrainConfig& config, const std::string&, Progress& progress, const Stop& stop) {
  return trained(config, run_train(config, progress, stop), "trained model");
}

Report finetune(TrainConfig& config, const std::string&, Progress& progress, const Stop& stop) {
  return trained(config, run_finetune(config, progress, stop), "fine-tuned classifier");
}

/// A recipe's [model] table is a model's config.json.
void take_architecture(json& tables, TrainConfig& config, const std::string&) {
  if (!tables.contains("model")) return;
  config.architecture = tables["model"];
  tables.erase("model");
}

/// The tables of a sweep's recipe are those of `sextant sample`, but for its own.
struct RecipeSweep : SweepConfig {
  json recipe;
};

void take_grid(json& tables, RecipeSweep& sweep, const std::string& source) {
  sweep.source = source;
  sweep.recipe = std::move(tables);
  tidy_recipe(sweep.recipe, source);
  tables = {{"sweep", sweep.recipe["sweep"]}};
  json whole = sweep.recipe;  // a table that no sweep has may make it another command's recipe
  for (const char* own : {"rows", "columns", "axes", "evaluate"}) whole.erase(own);
  for (json& table : whole) {
    if (table.is_object()) table = json::object();
  }
  check_places(whole, source);
  check_places(tables, source);
}

/// A table for whoever reads stdout: `csv` and `numbers` are for programs.
std::string printed(const report::Table& table, const report::Table& csv, const json& numbers, Format format) {
  if (format == Format::kJson) return json_text(numbers) + "\n";
  if (format == Format::kCsv) return report::format_table(csv, report::TableFormat::kCsv);
  const bool terminal = format == Format::kTable && bold_letters();
  return report::format_table(table, terminal ? report::TableFormat::kBoldTerminal : table_format(format));
}

Report sweep(RecipeSweep& config, const std::string&, Progress& progress, const Stop& stop) {
  if (config.dry_run) {
    const SweepPlan plan = plan_sweep(config.recipe, config, progress);
    return {true, printed(plan.table, plan.csv, plan.numbers, config.format)};
  }
  const SweepResult result = run_sweep(config.recipe, config, progress, stop);
  std::string text = printed(result.table, results_csv(result.results), result.results, config.format);
  if (!config.run.quiet && config.format == Format::kTable) {
    text += of_all(result.finished, result.count, "runs", config.run.out) + ", " + std::to_string(result.drawn) +
            " drawn now\n";
    if (!result.compared) text += "differences are missing; the same command computes them\n";
  }
  return {result.complete(), text, stop.requested() ? "" : failure_of(result)};
}

Report runs(RunsConfig& config, const std::string& ledger, Progress& progress, const Stop&) {
  const RunsResult result = run_runs(ledger, config);
  for (const std::string& note : result.notes) progress.note(note);
  return {true, printed(result.table, result.csv, result.numbers, config.format)};
}

Report report_page(ReportConfig& config, const std::string& folder, Progress&, const Stop&) {
  const ReportResult result = run_report(folder, config);
  const auto counted = [](auto number, const char* thing) {
    return std::to_string(number) + " " + thing + (number == 1 ? "" : "s");
  };
  return {true, result.file.string() + ": " + counted(result.sweeps, "sweep") + ", " + counted(result.runs, "run") +
                    ", " + counted(result.pictures, "picture") + "\n"};
}

/// The recipe is what is inspected.
void take_whole(json& tables, InspectConfig& config, const std::string&) {
  config.recipe = std::move(tables);
  tables = json::object();
}

Report trace(TraceConfig& config, const std::string&, Progress& progress, const Stop& stop) {
  const TraceResult result = run_trace(config, progress, stop);
  std::string text = report::format_table(result.table, report::TableFormat::kTerminal);
  const std::string left = report::can_draw() ? "curves, maps.png and trace.json" : "trace.json";
  if (!config.method.run.quiet) text += left + " in " + config.method.run.out + "\n";
  return {result.complete, text};
}

Report theory(TheoryConfig& config, const std::string&, Progress&, const Stop& stop) {
  const TheoryResult result = run_theory(config, stop);
  std::string text = report::format_table(result.table, report::TableFormat::kTerminal);
  const std::string left = report::can_draw() ? "theory.json and charts" : "theory.json";
  if (!config.run.quiet) text += left + " in " + config.run.out + "\n";
  return {true, text};
}

Report merge(MergeConfig& config, const std::string& folders, Progress&, const Stop&) {
  const std::vector<std::string> shares = split(folders, '\n');
  const SampleResult result = run_merge(shares, config);
  return {true,
          of_all(result.finished, result.count, "images", config.out.empty() ? shares.front() : config.out) + "\n"};
}

Report inspect_file(InspectConfig& config, const std::string& file, Progress&, const Stop&) {
  if (file.empty() && config.recipe.is_null()) throw UsageError("a FILE is needed: sextant inspect FILE");
  if (!config.recipe.is_null()) {
    if (!file.empty()) throw UsageError("inspect takes a FILE or a --recipe, not both");
    const json files = inspect_recipe(config.recipe);
    return {true, config.json ? json_text(files) + "\n" : recipe_text(files)};
  }
  const json inspection = inspect(file, config.weights);
  if (!config.to.empty()) convert(file, config.to, config.weights);
  return {true, config.json ? json_text(inspection) + "\n" : inspection_text(inspection)};
}

}  // namespace

const std::vector<Command>& commands() {
  static const std::vector<Command> kCommands = {
      row<SampleConfig>("sample", "Draw samples from a diffusion model, steered by a classifier",
                        {.options = sample_options, .run = sample, .shared = true}),
      // A recipe may name the samples.
      row<EvaluateConfig>("evaluate",
                          "Score samples against a reference: FID, sFID, inception score, precision, recall, KID",
                          {.options = evaluate_options, .run = evaluate, .shared = true, .draws = false}, "SAMPLES"),
      row<CalibrateConfig>("calibrate",
                           "Measure a classifier's calibration, also along the noise levels, and repair it",
                           {.options = calibrate_options, .run = calibrate, .shared = true}),
      row<TrainConfig>("finetune", "Fine-tune a classifier with the Smooth ECE loss",
                       {.options = finetune_options, .run = finetune, .defaults = finetune_defaults(), .shared = true}),
      row<TrainConfig>("train", "Train a diffusion model or a classifier, noise-aware or not",
                       {.options = train_options, .run = train, .take = take_architecture, .shared = true}),
      row<RecipeSweep>("sweep", "Run a grid of samplings and make one table and one picture of it",
                       {.options = [](RecipeSweep& config) { return sweep_options(config); },
                        .run = sweep,
                        .take = take_grid,
                        .shared = true},
                       "RECIPE", true),
      row<TraceConfig>("trace", "Follow guidance along the steps: confidence, gradients, maps",
                       {.options = trace_options,
                        .run = trace,
                        .take = take_methods,
                        .quiet = [](const TraceConfig& config) { return config.method.run.quiet; }},
                       "RECIPE"),
      row<TheoryConfig>("theory", "Check the papers' propositions on a mixture, where everything is exact",
                        {.options = theory_options, .run = theory}),
      row<RunsConfig>(
          "runs", "List, filter, compare, export and prune the runs of a ledger",
          {.options = runs_options, .run = runs, .quiet = [](const RunsConfig&) { return false; }, .draws = false},
          "LEDGER", true),
      row<ReportConfig>("report", "Make one HTML page of the sweeps, runs and traces in a folder",
                        {.options = report_options,
                         .run = report_page,
                         .quiet = [](const ReportConfig&) { return true; },
                         .draws = false},
                        "DIR", true),
      row<MergeConfig>("merge", "Put together what tasks of 'sample --shard' drew in their own folders",
                       {.options = merge_options, .run = merge, .quiet = [](const MergeConfig&) { return true; }},
                       "FOLDER...", true),
      row<InspectConfig>("inspect",
                         "Show what is in a checkpoint, an .npz or a model folder, or which files a --recipe lacks; "
                         "convert to safetensors",
                         {.options = inspect_options,
                          .run = inspect_file,
                          .take = take_whole,
                          .quiet = [](const InspectConfig&) { return true; },
                          .draws = false,
                          .any_record = true},
                         "FILE")};
  return kCommands;
}

const Command& command_named(const std::string& name) {
  std::vector<std::string> names = {"help"};
  for (const Command& command : cli::commands()) {
    if (command.name == name) return command;
    names.push_back(command.name);
  }
  throw UsageError("unknown command '" + name + "'." + did_you_mean(name, names) + " See 'sextant --help'");
}

}  // namespace sextant::cli
