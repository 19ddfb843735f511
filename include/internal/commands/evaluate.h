// The job of `sextant evaluate`: settings, work, files. What it computes is in evaluation/evaluate.h.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "internal/commands/format.h"
#include "internal/commands/run.h"
#include "internal/runtime/options.h"
#include "sextant/evaluation/evaluate.h"
#include "sextant/models/classifier.h"

namespace sextant::commands {

struct EvaluateConfig {
  std::string samples;                 ///< .npz, folder of images, CIFAR-10 or IDX file; the command's argument
  std::string reference;               ///< statistics, or images as `samples`; "" only with save_stats
  evaluation::FeatureConfig features;  ///< without a path the bundled one that fits the images
  evaluation::EvaluateOptions options;
  std::string save_stats;               ///< .npz for the samples' statistics; "" writes none
  Format format = Format::kTable;       ///< of what is printed
  models::ClassifierConfig classifier;  ///< reads the samples for accuracy and ECE; without a path the feature network
  evaluation::EmbedOptions embedding;
  bool no_cache = false;     ///< does not keep the embedded reference beside its images
  RunConfig run{.out = ""};  ///< without a folder nothing is written
};

/// The table of `sextant evaluate`; the rows point into `config`.
std::vector<OptionGroup> evaluate_options(EvaluateConfig& config);

/// Whether one of these, or of all where there are none, compares the samples with a reference.
bool needs_reference(const std::vector<evaluation::Metric>& metrics);

struct EvaluateResult {
  bool complete = false;                             ///< false after a stop
  std::optional<evaluation::Evaluation> evaluation;  ///< none where only statistics were asked for
  std::optional<evaluation::Embedding> samples;      ///< what the numbers are of
  std::optional<evaluation::Embedding> reference;
};

/// Embeds, scores and writes: the samples' statistics to config.save_stats; metrics.json with every number
/// and setting, table.md and table.csv to config.run.out. Without a reference only the statistics are written.
EvaluateResult run_evaluate(const EvaluateConfig& config, Progress& progress, const Stop& stop);

/// The evaluation as text; a table comes with what was compared and the notes.
std::string evaluation_text(const evaluation::Evaluation& evaluation, Format format);

}  // namespace sextant::commands
