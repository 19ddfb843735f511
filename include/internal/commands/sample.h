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
#include "sextant/guidance/score.h"
#include "sextant/models/classifier.h"
#include "sextant/models/denoiser.h"
#include "sextant/runtime/progress.h"
#include "sextant/samplers/samplers.h"

namespace sextant::commands {

/// Among labels, the word of classes drawn at random.
inline constexpr const char* kRandomLabels = "random";

/// What to draw.
struct SampleSettings {
  std::string labels = kRandomLabels;  ///< or classes and ranges such as "0-9" or "0,3,7-9", taken in turn
  int64_t count = 16;                  ///< images
  int64_t batch = 16;                  ///< images at a time
  uint64_t seed = 0;                   ///< image i depends on it and i alone
  diffusion::Rounding rounding = diffusion::Rounding::kOpenAi;  ///< pixels to bytes
};

/// What the classifier reads of a latent model.
enum class GuidanceSpace {
  kAuto,    ///< by its channels
  kPixels,  ///< decoded images
  kLatent,  ///< the latents themselves
};

/// Among the words of scores, that of no guide.
inline constexpr const char* kNoGuidance = "none";

/// The score and how it steers.
struct GuidanceSettings {
  std::string guidance;         ///< a sum of terms, or kNoGuidance; "" is plain with a classifier and none without
  guidance::ScoreConfig terms;  ///< what the terms read
  guidance::GuideConfig guide;
  std::string attributes;         ///< of a classifier of attributes: "smiling=1,male=0", or a CSV file
  std::string attribute_weights;  ///< of its score: "1,0.5" or "male=2"; "" is 1 each
  GuidanceSpace space = GuidanceSpace::kAuto;

  bool none() const { return guidance == kNoGuidance; }
};

/// A run that several tasks draw, each a share of its batches.
struct ShareSettings {
  std::string shard;  ///< "K/N": this task's share is the K-th of N, K from 1; "" is the whole
  double lease = 60;  ///< seconds after which a task that shows no sign of life counts as dead
};

/// Settings of `sextant sample`: a part for each table of its recipe; `run` stands in [sample] as well.
struct SampleConfig {
  SampleSettings sample;
  RunConfig run;
  models::DenoiserConfig model;
  models::ClassifierConfig classifier;
  GuidanceSettings guidance;
  samplers::SamplerConfig sampler;
  ShareSettings share;
};

/// The table of `sextant sample`; the rows point into `config`.
std::vector<OptionGroup> sample_options(SampleConfig& config);

/// A line for each setting, or for those of `keys` alone ("alpha"), that differs from its default and has no effect
/// beside the others.
std::vector<std::string> settings_without_effect(const SampleConfig& config,
                                                 const std::optional<std::vector<std::string>>& keys = {});

/// The score that is climbed: the one that is set; left out, plain with a classifier, else kNoGuidance.
std::string guidance_of(const SampleConfig& config);

/// Fills in what is left to the other settings, and throws as check_settings().
SampleConfig resolved(SampleConfig config);

/// UsageError for what can be known to be wrong before a model is opened.
void check_settings(const SampleConfig& config);

struct SampleResult {
  int64_t finished = 0;        ///< samples in samples.npz
  int64_t count = 0;           ///< samples asked for
  bool there_already = false;  ///< a former run had drawn them all
  double seconds_per_image = 0;
  double gradient_norm = 0;  ///< |g| averaged over guided steps and samples

  bool left_to_others = false;  ///< what is not finished is other tasks' share

  bool complete() const { return finished == count || left_to_others; }
};

/// Draws samples into config.run.out: samples.npz (arr_0 uint8 [N, H, W, C], arr_1 int64 [N]), grid.png, run.json,
/// and with a guide gradient-norm.svg and .png: its pull along the steps ("trace" in run.json).
///
/// Each finished batch is saved at once in samples.partial; a run that was stopped or killed continues there when it is
/// started again with the same settings, and gives the same images. After a stop, samples.npz holds what is finished.
/// Where the folder holds fewer images of the same settings, only the others are drawn.
/// A batch of which an image stops being finite is left out, and NumericError names it when the others are drawn; at
/// once where eight have burst and fewer are there.
/// With config.run.overwrite the results of another run stay until the first batch of this one is saved.
SampleResult run_sample(const SampleConfig& config, Progress& progress, const Stop& stop);

}  // namespace sextant::commands
