// The job of `sextant calibrate`: settings, work, files. What each number is stands in calibration/calibration.h.
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
#include "sextant/calibration/calibration.h"
#include "sextant/data/images.h"
#include "sextant/models/classifier.h"
#include "sextant/models/denoiser.h"
#include "sextant/runtime/progress.h"

namespace sextant::commands {

enum class FitMethod {
  kNone,
  kTemperature,  ///< one number divides all logits
  kVector        ///< a scale and a shift for every class
};

/// "none", "temperature", "vector", as recipes and calibration.json have them.
const Words<FitMethod>& fit_words();

/// What a classifier is shown.
enum class Shown {
  kClean,  ///< images as they are
  kXt,     ///< noised ones, x_t
  kX0      ///< a diffusion model's estimates of the clean ones, x0-hat(t)
};

/// "clean", "xt", "x0", as tables, recipes and calibration.json have them.
const Words<Shown>& shown_words();
std::string word_of(Shown shown);

/// What a classifier is shown at each level.
enum class LevelInputs {
  kAuto,  ///< both with a model that estimates clean images, else x_t
  kXt,
  kX0,
  kBoth
};

struct CalibrateConfig {
  // [calibrate]
  std::string data;                        ///< labelled images: folder, IDX file, CIFAR-10 or .npz, see data/images.h
  data::Split split = data::Split::kTest;  ///< part of a data set that has both
  std::string labels;                      ///< IDX file of their labels; "" is the one beside the images
  int64_t count = 0;                       ///< the first so many images; 0 is all
  int64_t batch = 100;                     ///< images at a time, changes speed and memory only
  int64_t image_size = 0;  ///< shorter side that images are scaled to, see data::with_size(); 0 leaves them
  int64_t image_crop = 0;  ///< side of the middle that is cut out; 0: as `image_size`
  bool skip_bad = false;   ///< leave out images that cannot be read
  data::Cifar100Labels cifar100 = data::Cifar100Labels::kFine;
  calibration::MeasureOptions measures;
  uint64_t seed = 0;               ///< of the noise, and of what is held out for a fit
  Format format = Format::kTable;  ///< of what is printed

  // [classifier]
  models::ClassifierConfig classifier;
  std::string softplus_sweep;  ///< several softplus betas, "0,1,3,5"; "" is the classifier's own

  // [levels]
  models::DenoiserConfig model;  ///< path ("" is none), arch, weights and unconditional; nothing is mixed with it
  /// Timesteps, or standard deviations of noise in units of the pixels' [-1, 1], with commas between. "" is none
  /// without a model, else eleven timesteps from first to last, or nine deviations from 0.1 to 50.
  std::string levels;
  LevelInputs inputs = LevelInputs::kAuto;

  // [fit]
  FitMethod fit = FitMethod::kNone;
  std::string fit_data;                  ///< images to fit on, as `data`; "" holds out a share of those
  std::optional<data::Split> fit_split;  ///< none: that of `split`
  int64_t fit_count = 0;                 ///< the first so many of fit_data; 0 is all
  double fit_share = 0.5;                ///< of `data` that is held out
  Shown fit_on = Shown::kClean;          ///< noised ones at all levels together
  double ridge = 1e-4;                   ///< kVector: pull towards no change
  std::string save;                      ///< folder for the calibrated classifier; "" saves none

  RunConfig run{.out = ""};  ///< in [calibrate]; without a folder nothing is written
};

/// The table of `sextant calibrate`; the rows point into `config`.
std::vector<OptionGroup> calibrate_options(CalibrateConfig& config);

/// One classifier, shown one kind of images.
struct CalibrateRow {
  std::string variant;  ///< "", "relu", "softplus 3", "before", "after"
  Shown input = Shown::kClean;
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
/// config.run.out; the calibrated classifier to config.save. After each condition (clean images, a level) what is known
/// is kept in config.run.out/calibration.partial, where a call with the same settings, weights and images goes on.
CalibrateResult run_calibrate(const CalibrateConfig& config, Progress& progress, const Stop& stop);

/// The result as text.
std::string calibrate_text(const CalibrateResult& result, Format format);

}  // namespace sextant::commands
