// sextant._core.runs: whole runs, as the command line starts them.
#include <ATen/Context.h>

#include <csignal>
#include <limits>

#include "bindings.h"
#include "internal/commands/calibrate.h"
#include "internal/commands/evaluate.h"
#include "internal/commands/made_folders.h"
#include "internal/commands/sample.h"
#include "internal/commands/sweep.h"
#include "internal/commands/trace.h"
#include "internal/commands/train.h"
#include "progress.h"
#include "sextant/report/drawing.h"
#include "sextant/runtime/device.h"
#include "sextant/runtime/error.h"

namespace sextant::python {
namespace {

using commands::CalibrateConfig;
using commands::EvaluateConfig;
using commands::RunConfig;
using commands::SampleConfig;
using commands::SweepConfig;
using commands::TrainConfig;
using nlohmann::json;
using py::arg;

using Listener = std::optional<py::object>;

/// Whether the processor takes numbers below the normal ones for zero, as torch.set_flush_denormal(True) makes it.
bool flushes_denormals() {
  volatile float tiny = std::numeric_limits<float>::min();
  return tiny / 2 == 0;
}

/// A run changes the number of threads, how small numbers round and how a GPU computes, of the whole process; Python
/// gets its own back.
class SameProcess {
 public:
  SameProcess() = default;
  ~SameProcess() {
    set_threads(threads_);
    context_.setFlushDenormal(flushes_);
    if (!at::hasCUDA()) return;
    context_.setBenchmarkCuDNN(benchmark_);
    context_.setDeterministicCuDNN(cudnn_deterministic_);
    context_.setDeterministicAlgorithms(deterministic_, warn_only_);
    if (cudnn_tf32_) context_.setAllowTF32CuDNN(*cudnn_tf32_);
    if (cublas_tf32_) context_.setAllowTF32CuBLAS(*cublas_tf32_);
  }
  SameProcess(const SameProcess&) = delete;
  SameProcess& operator=(const SameProcess&) = delete;

 private:
  /// None where libtorch refuses to say: settings of its newer kind, for single operations.
  static std::optional<bool> told(const std::function<bool()>& setting) {
    if (!at::hasCUDA()) return std::nullopt;
    try {
      return setting();
    } catch (const c10::Error&) {
      return std::nullopt;
    }
  }

  at::Context& context_ = at::globalContext();
  int threads_ = threads();
  bool flushes_ = flushes_denormals();
  bool benchmark_ = context_.benchmarkCuDNN();
  bool cudnn_deterministic_ = context_.deterministicCuDNN();
  bool deterministic_ = context_.deterministicAlgorithms();
  bool warn_only_ = context_.deterministicAlgorithmsWarnOnly();
  std::optional<bool> cudnn_tf32_ = told([this] { return context_.allowTF32CuDNN(); });
  std::optional<bool> cublas_tf32_ = told([this] { return context_.allowTF32CuBLAS(); });
};

/// Thrown past the folders of a run that failed in part.
struct PartFailed {};

/// Settings, work, result; flags in messages become settings. A run that fails leaves no empty folder.
template <class Config, class Work>
py::object run(const std::string& name, Config& config, std::vector<OptionGroup> options, const std::string& settings,
               const Listener& listener, Work work) {
  apply_settings(name, std::move(options), settings);
  PythonProgress progress(config.run.quiet ? Listener{} : listener);
  if (name != "evaluate" && !report::can_draw()) progress.note("note: built without cairo: no charts");
  json result;
  {
    const py::gil_scoped_release unlocked;
    const SameProcess process;
    try {
      const commands::MadeFolders folders;
      result = work(config, progress);
      if (!result.value("failure", "").empty()) throw PartFailed();
    } catch (const PartFailed&) {  // Python says it, beside what was drawn
    } catch (const UsageError& error) {
      throw UsageError(in_python_spelling(error.what()));
    }
  }
  progress.raise();
  return to_python(result);
}

py::object sample(const std::string& settings, const Listener& listener) {
  SampleConfig config;
  return run("sample", config, commands::sample_options(config), settings, listener,
             [](const SampleConfig& given, PythonProgress& progress) -> json {
               for (const std::string& line : commands::settings_without_effect(given)) progress.note(line);
               const commands::SampleResult made = commands::run_sample(given, progress, progress.stop());
               return {{"out", given.run.out},
                       {"finished", made.finished},
                       {"count", made.count},
                       {"there_already", made.there_already},
                       {"seconds_per_image", made.seconds_per_image},
                       {"gradient_norm", made.gradient_norm}};
             });
}

py::object evaluate(const std::string& settings, const Listener& listener) {
  EvaluateConfig config;
  return run("evaluate", config, commands::evaluate_options(config), settings, listener,
             [](const EvaluateConfig& given, PythonProgress& progress) -> json {
               const commands::EvaluateResult made = commands::run_evaluate(given, progress, progress.stop());
               json result = {{"out", given.run.out}, {"complete", made.complete}};
               if (made.evaluation) {
                 result["evaluation"] = evaluation::to_json(*made.evaluation);
                 result["text"] = commands::evaluation_text(*made.evaluation, commands::Format::kTable);
               }
               return result;
             });
}

py::object calibrate(const std::string& settings, const Listener& listener) {
  CalibrateConfig config;
  return run("calibrate", config, commands::calibrate_options(config), settings, listener,
             [](const CalibrateConfig& given, PythonProgress& progress) -> json {
               const commands::CalibrateResult made = commands::run_calibrate(given, progress, progress.stop());
               return {{"out", given.run.out},
                       {"complete", made.complete},
                       {"text", made.complete ? commands::calibrate_text(made, commands::Format::kTable) : ""},
                       {"json",
                        made.complete ? json::parse(commands::calibrate_text(made, commands::Format::kJson)) : json()}};
             });
}

/// The settings, as keywords give them, win over the recipe's.
py::object sweep(const std::string& recipe, const std::string& settings, const Listener& listener) {
  SweepConfig config;
  json grid = json::parse(recipe);
  commands::tidy_recipe(grid);
  apply_settings("sweep", commands::sweep_options(config), json{{"sweep", grid["sweep"]}}.dump());
  return run("sweep", config, commands::sweep_options(config), settings, listener,
             [&](const SweepConfig& given, PythonProgress& progress) -> json {
               if (given.dry_run) {
                 const report::Table plan = commands::plan_sweep(grid, given, progress).table;
                 return {{"out", given.run.out}, {"finished", 0},         {"count", plan.rows.size()},
                         {"failure", ""},        {"header", plan.header}, {"rows", plan.rows}};
               }
               const commands::SweepResult made = commands::run_sweep(grid, given, progress, progress.stop());
               return {{"out", given.run.out},        {"finished", made.finished},
                       {"count", made.count},         {"failure", commands::failure_of(made)},
                       {"header", made.table.header}, {"rows", made.table.rows}};
             });
}

py::object trace(const std::string& recipe, const std::string& settings, const Listener& listener) {
  commands::TraceConfig config;
  json tables = json::parse(recipe);
  commands::take_methods(tables, config);
  apply_settings("trace", commands::trace_options(config), tables.dump());
  return run("trace", config.method, commands::trace_options(config), settings, listener,
             [&](const SampleConfig& given, PythonProgress& progress) -> json {
               const commands::TraceResult made = commands::run_trace(config, progress, progress.stop());
               return {{"out", given.run.out},
                       {"complete", made.complete},
                       {"header", made.table.header},
                       {"rows", made.table.rows}};
             });
}

json of_training(const TrainConfig& given, const commands::TrainResult& made) {
  return {{"out", given.run.out},
          {"complete", made.complete},
          {"steps", made.steps},
          {"best_step", made.best_step},
          {"text", commands::finetune_text(made)}};
}

py::object train(const std::string& settings, const std::string& architecture, const Listener& listener) {
  TrainConfig config;
  config.architecture = json::parse(architecture);
  return run("train", config, commands::train_options(config), settings, listener,
             [](const TrainConfig& given, PythonProgress& progress) {
               return of_training(given, commands::run_train(given, progress, progress.stop()));
             });
}

py::object finetune(const std::string& settings, const Listener& listener) {
  TrainConfig config = commands::finetune_defaults();
  return run("finetune", config, commands::finetune_options(config), settings, listener,
             [](const TrainConfig& given, PythonProgress& progress) {
               return of_training(given, commands::run_finetune(given, progress, progress.stop()));
             });
}

/// {"group": ["key", ...]} of a command, so that a keyword finds its table.
template <class Config>
py::object keys_of(std::vector<OptionGroup> (*options)(Config&)) {
  Config config;
  json groups = json::object();
  for (const OptionGroup& group : options(config)) {
    for (const Option& option : group.options) groups[group.name].push_back(option_key(option.flag));
  }
  return to_python(groups);
}

template <class Config>
std::string docs_of(std::vector<OptionGroup> (*options)(Config&)) {
  Config config;
  return settings_doc(options(config));
}

template <class Config>
void def_tables(py::module_& m, const std::string& name, std::vector<OptionGroup> (*options)(Config&)) {
  m.def((name + "_keys").c_str(), [options] { return keys_of(options); });
  m.def((name + "_doc").c_str(), [options] { return docs_of(options); });
}

}  // namespace

void bind_runs(py::module_& core) {
  py::module_ m = core.def_submodule("runs");
  m.def("sample", &sample, arg("settings"), arg("progress") = py::none());
  m.def("evaluate", &evaluate, arg("settings"), arg("progress") = py::none());
  m.def("calibrate", &calibrate, arg("settings"), arg("progress") = py::none());
  m.def("sweep", &sweep, arg("recipe"), arg("settings"), arg("progress") = py::none());
  m.def("trace", &trace, arg("recipe"), arg("settings"), arg("progress") = py::none());
  m.def("train", &train, arg("settings"), arg("architecture"), arg("progress") = py::none());
  m.def("finetune", &finetune, arg("settings"), arg("progress") = py::none());
  def_tables(m, "sample", commands::sample_options);
  def_tables(m, "evaluate", commands::evaluate_options);
  def_tables(m, "calibrate", commands::calibrate_options);
  def_tables(m, "sweep", commands::sweep_options);
  def_tables(m, "trace", commands::trace_options);
  def_tables(m, "train", commands::train_options);
  def_tables(m, "finetune", commands::finetune_options);
}

}  // namespace sextant::python
