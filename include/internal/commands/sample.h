// Whole runs, as the command line starts them: settings, work, files.
//
// A run is a function of its settings, a Progress to report to and a Stop to obey; it prints nothing itself. UsageError
// and Error say in one line what is wrong with the settings or what failed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "internal/commands/run.h"
#include "internal/runtime/options.h"
#include "sextant/diffusion/process.h"
#include "sextant/guidance/guide.h"
#include "sextant/guidance/named_score.h"
#include "sextant/models/classifier.h"
#include "sextant/runtime/progress.h"
#include "sextant/runtime/stop.h"
#include "sextant/samplers/samplers.h"

namespace sextant::commands {

/// What to draw.
struct SampleSettings {
  std::string labels = "random";  ///< "random", or classes and ranges such as "0-9" or "0,3,7-9", taken in turn
  int64_t count = 16;             ///< images, at least 1
  int64_t batch = 16;             ///< images at a time, at least 1
  uint64_t seed = 0;              ///< image i depends on it and i alone
  diffusion::Rounding rounding = diffusion::Rounding::kOpenAi;  ///< pixels to bytes
};

/// The channels of a model's output that classifier-free guidance and autoguidance act on.
enum class CfgChannels {
  kModel,  ///< those of the model's own sampler (DiT: the first 3 of 4)
  kThree,  ///< the first 3
  kAll,
};

/// The diffusion model, and what is mixed with it.
struct ModelSettings {
  std::string path;             ///< folder with config.json and weights, or a checkpoint file
  std::string arch;             ///< architecture of a checkpoint file; "" for a folder
  bool unconditional = false;   ///< the model gets the null label
  int64_t denoiser_label = -1;  ///< the label it gets for every image; -1 is the image's own
  double cfg_scale = 1;         ///< classifier-free guidance; 1 is off
  CfgChannels cfg_channels = CfgChannels::kModel;
  std::optional<Interval> cfg_interval;  ///< noise levels sigma between which it or autoguidance act; none is all
  std::string autoguidance_model;        ///< the weaker model to move away from, as `path`; "" is none
  std::string autoguidance_arch;
  double autoguidance_scale = 1;  ///< s of bad + s (good - bad); 1 is the model alone
  std::string vae;                ///< autoencoder of a model that draws latents, as `path`
  std::string vae_arch;
};

/// What the classifier reads of a latent model.
enum class GuidanceSpace {
  kAuto,    ///< by its channels
  kPixels,  ///< decoded images
  kLatent,  ///< the latents themselves
};

/// The score and how it steers.
struct GuidanceSettings {
  std::string score;            ///< a sum of terms, or "none"; "" is plain with a classifier and none without
  guidance::ScoreConfig terms;  ///< what the terms read
  guidance::GuideConfig guide;
  GuidanceSpace space = GuidanceSpace::kAuto;
};

/// The sampling loop.
struct SamplerSettings {
  std::string name = "ddpm";
  int64_t steps = 250;      ///< evenly spaced over the model's
  std::string respacing;    ///< instead of steps: "ddim50", "10,10,5"
  double eta = 0;           ///< noise of ddim, 0 to 1
  int64_t recurrence = 1;   ///< ddpm, ddim: times that each step is made
  samplers::EdmConfig edm;  ///< of the samplers by noise level; its levels.steps and heun follow from steps and name
};

/// Settings of `sextant sample`: a part for each table of its recipe; `run` stands in [sample] as well.
struct SampleConfig {
  SampleSettings sample;
  RunConfig run;
  ModelSettings model;
  models::ClassifierConfig classifier;
  GuidanceSettings guidance;
  SamplerSettings sampler;
};

/// The table of `sextant sample`; the rows point into `config`.
std::vector<OptionGroup> sample_options(SampleConfig& config);

/// A line for each setting that differs from its default and has no effect beside the others.
std::vector<std::string> settings_without_effect(const SampleConfig& config);

struct SampleResult {
  int64_t finished = 0;        ///< samples in samples.npz
  int64_t count = 0;           ///< samples asked for
  bool there_already = false;  ///< a former run had drawn them all
  double seconds_per_image = 0;
  double gradient_norm = 0;  ///< |g| averaged over guided steps and samples

  bool complete() const { return finished == count; }
};

/// Draws samples into config.run.out: samples.npz (arr_0 uint8 [N, H, W, C], arr_1 int64 [N]), grid.png, run.json,
/// and with a guide gradient-norm.svg and .png: its pull along the steps ("trace" in run.json).
///
/// Each finished batch is saved at once in samples.partial; a run that was stopped or killed continues there when it is
/// started again with the same settings, and gives the same images. After a stop, samples.npz holds what is finished.
SampleResult run_sample(const SampleConfig& config, Progress& progress, const Stop& stop);

}  // namespace sextant::commands
