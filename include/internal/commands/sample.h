// Whole runs, as the command line starts them: settings, work, files.
//
// A run is a function of its settings, a Progress to report to and a Stop to obey; it prints nothing itself. UsageError
// and Error say in one line what is wrong with the settings or what failed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "internal/runtime/options.h"
#include "sextant/guidance/guide.h"
#include "sextant/runtime/progress.h"
#include "sextant/runtime/stop.h"

namespace sextant::commands {

/// Settings of `sextant sample`; sample_options() explains each.
struct SampleConfig {
  // [sample]
  std::string labels = "random";
  int64_t count = 16;
  int64_t batch = 16;
  int64_t seed = 0;
  std::string out = "out";
  bool overwrite = false;
  std::string rounding = "openai";
  std::string device = "cpu";
  std::string precision = "fp32";
  int64_t threads = 0;
  bool quiet = false;

  // [model]
  std::string model;
  std::string arch;
  bool unconditional = false;
  int64_t denoiser_label = -1;
  double cfg_scale = 1;
  std::string cfg_channels = "model";
  std::string cfg_interval;
  std::string guide_model;
  std::string guide_arch;
  double autoguidance_scale = 1;
  std::string vae;
  std::string vae_arch;

  // [classifier]
  std::string classifier;
  std::string classifier_arch;
  std::string classifier_input = "config";
  int64_t classifier_size = 0;
  std::string classifier_resize = "config";
  double softplus_beta = 0;
  std::string prompts;
  std::string contrast;
  bool strict = false;
  std::string clip_vocab;
  int64_t cutouts = 0;
  double cutout_min = 0.3;

  // [guidance]
  std::string guidance;
  guidance::GuideConfig guide;
  std::string js_form = "eq14";
  std::string tilt_form = "mean";
  std::string guidance_input = "x0";
  std::string gamma_max = "per-sample";
  std::string guidance_interval = "0,1";
  std::string guidance_space = "auto";

  // [sampler]
  std::string sampler = "ddpm";
  int64_t steps = 250;
  std::string respacing;
  double eta = 0;
  int64_t recurrence = 1;
  std::string discretization = "edm";
  std::string schedule = "linear";
  std::string scaling = "none";
  double solver_alpha = 1;
  double sigma_min = 0;
  double sigma_max = 0;
  double rho = 7;
  double churn = 0;
  double churn_min = 0;
  double churn_max = 1e9;
  double churn_noise = 1;
  std::string edm_guidance = "score";
  double max_guidance = 0.001;
  double add_factor = 0;
};

/// The table of `sextant sample`; the rows point into `config`.
std::vector<OptionGroup> sample_options(SampleConfig& config);

/// A line for each setting that differs from its default and has no effect beside the others.
std::vector<std::string> unused_settings(const SampleConfig& config);

struct SampleResult {
  int64_t finished = 0;        ///< samples in samples.npz
  int64_t count = 0;           ///< samples asked for
  bool there_already = false;  ///< a former run had drawn them all
  double seconds_per_image = 0;
  double gradient_norm = 0;  ///< |g| averaged over guided steps and samples

  bool complete() const { return finished == count; }
};

/// Draws samples into config.out: samples.npz (arr_0 uint8 [N, H, W, C], arr_1 int64 [N]), grid.png, run.json,
/// and with a guide gradient-norm.svg and .png: its pull along the steps ("trace" in run.json).
///
/// Each finished batch is saved at once in samples.partial; a run that was stopped or killed continues there when it is
/// started again with the same settings, and gives the same images. After a stop, samples.npz holds what is finished.
SampleResult run_sample(const SampleConfig& config, Progress& progress, const Stop& stop);

}  // namespace sextant::commands
