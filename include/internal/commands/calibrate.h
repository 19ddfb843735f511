// The job of `sextant calibrate`: settings, work, files. What each number is stands in calibration/measures.h.
//
// A classifier is shown labelled images as they are; with noise levels also the noised images x_t, and what a diffusion
// model takes for the clean ones, x0-hat(t). Each way gives all measures; the mean over the levels of the last two is
// the integral of the calibration error (Ma et al. 2023).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "internal/commands/format.h"
#include "internal/commands/run.h"
#include "internal/runtime/options.h"
#include "sextant/calibration/measures.h"
#include "sextant/data/images.h"
#include "sextant/models/classifier.h"
#include "sextant/runtime/progress.h"
#include "sextant/runtime/stop.h"

namespace sextant::commands {

enum class FitMethod { kNone, kTemperature, kVector };

/// What a repair is fitted on: images as they are, noised ones, or estimates of the clean ones.
enum class FitOn { kClean, kXt, kX0 };

struct CalibrateConfig {
  // [calibrate]
  std::string data;
  data::Split split = data::Split::kTest;
  std::string labels;
  int64_t count = 0;
  int64_t batch = 100;
  calibration::MeasureOptions measures;
  uint64_t seed = 0;
  Format format = Format::kTable;

  // [classifier]
  models::ClassifierConfig classifier;
  std::string softplus_sweep;

  // [levels]
  std::string model;
  std::string arch;
  bool unconditional = false;
  std::string levels;
  std::string inputs = "auto";

  // [fit]
  FitMethod fit = FitMethod::kNone;
  std::string fit_data;
  std::optional<data::Split> fit_split;  ///< none: that of `split`
  int64_t fit_count = 0;
  double fit_share = 0.5;
  FitOn fit_on = FitOn::kClean;
  double ridge = 1e-4;
  std::string save;
  RunConfig run{.out = ""};  ///< in [calibrate]; without a folder nothing is written
};

/// The table of `sextant calibrate`; the rows point into `config`.
std::vector<OptionGroup> calibrate_options(CalibrateConfig& config);

/// One classifier, shown one kind of images.
struct CalibrateRow {
  std::string variant;          ///< "", "relu", "softplus 3", "before", "after"
  std::string input;            ///< "clean", "xt", "x0"
  std::optional<double> level;  ///< timestep or standard deviation; none for clean images
  calibration::Measures measures;
};

struct CalibrateFit {
  FitMethod method = FitMethod::kNone;
  classifiers::Rescaling rescaling;  ///< to be applied to the logits of the classifier as it is
  int64_t count = 0;                 ///< images (at as many levels as there were) that it was fitted on
  std::string source;                ///< which
};

struct CalibrateResult {
  bool complete = false;  ///< false after a stop
  std::vector<CalibrateRow> rows;
  std::vector<CalibrateRow> means;  ///< over the levels, without a diagram
  std::optional<CalibrateFit> fit;
};

/// Measures, fits, and writes: table.md, table.csv, calibration.json (settings and numbers) and the diagrams to
/// config.run.out; the calibrated classifier to config.save.
CalibrateResult run_calibrate(const CalibrateConfig& config, Progress& progress, const Stop& stop);

/// The result as text.
std::string calibrate_text(const CalibrateResult& result, Format format);

}  // namespace sextant::commands
