// The job of `sextant evaluate`: settings, work, files. What it computes is in evaluation/evaluate.h.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "internal/runtime/options.h"
#include "sextant/evaluation/evaluate.h"

namespace sextant::commands {

struct EvaluateConfig {
  std::string samples;  ///< the command's argument
  std::string reference;
  std::string features;
  std::string features_arch;
  std::string layer;
  std::string protocol = "openai";
  std::string metrics = "all";
  std::string save_stats;
  std::string out;
  std::string format = "table";
  std::string classifier;
  std::string classifier_arch;
  std::string classifier_input = "config";
  int64_t classifier_size = 0;
  int64_t batch = 64;
  bool skip_bad = false;
  bool resize = false;
  bool no_cache = false;
  int64_t neighbours = 3;
  int64_t kid_subsets = 100;
  int64_t kid_subset_size = 1000;
  int64_t bootstrap = 1000;
  int64_t bootstrap_fid = -1;
  double level = 0.95;
  std::string device = "cpu";
  std::string precision = "fp32";
  int64_t threads = 0;
  bool quiet = false;
};

/// The table of `sextant evaluate`; the rows point into `config`.
std::vector<OptionGroup> evaluate_options(EvaluateConfig& config);

struct EvaluateResult {
  bool complete = false;                             ///< false after a stop
  std::optional<evaluation::Evaluation> evaluation;  ///< none where only statistics were asked for
};

/// Embeds, scores and writes: the samples' statistics to config.save_stats; metrics.json with every number
/// and setting, table.md and table.csv to config.out. Without a reference only the statistics are written.
EvaluateResult run_evaluate(const EvaluateConfig& config, Progress& progress, const Stop& stop);

/// The evaluation as text: for a terminal ("table": what was compared, the numbers, the notes), "md", "csv" or "json".
std::string evaluation_text(const evaluation::Evaluation& evaluation, const std::string& format);

}  // namespace sextant::commands
