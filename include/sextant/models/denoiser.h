// Diffusion models from folders and checkpoint files, with what stands around them.
#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "sextant/diffusion/denoiser.h"
#include "sextant/models/models.h"
#include "sextant/runtime/device.h"
#include "sextant/runtime/range.h"

namespace sextant::models {

// Diffusion models, opened as what samplers draw from.
//
//   const auto model = models::open_diffusion("dit-xl-2", "", {});
//   models::DenoiserConfig config;
//   config.cfg_scale = 4;
//   const diffusion::Denoiser denoiser = models::open_denoiser(model, config, {});
//
// All throw CheckpointError for a file and UsageError for settings that do not fit the model.

/// A diffusion model, frozen, and what it was trained with.
struct DiffusionModel {
  std::string source;         ///< where it was opened from, for messages
  nlohmann::json config;      ///< its config.json
  diffusion::Model function;  ///< its network; labels are ignored by one without classes
  std::variant<diffusion::ProcessConfig, diffusion::SigmaRange> levels;  ///< what it counts
  std::vector<int64_t> sample_shape;                                     ///< [C, H, W]
  int64_t classes = 0;                                                   ///< without the null label; 0 if unconditional
  int64_t null_label = -1;                                               ///< -1 without one
  bool points = false;       ///< draws points [d, 1, 1] in unbounded numbers, no pixels: see mixture.h
  int64_t cfg_channels = 0;  ///< the first channels, on which its own sampler's classifier-free guidance acts

  diffusion::Counts counts() const;
  /// UsageError for a model that counts noise levels.
  const diffusion::ProcessConfig& process() const;

  /// Whether it can do without labels: it has none, knows a null label, or counts noise levels, where none is a row of
  /// zeros.
  bool does_without_labels() const;
  /// The network without labels. UsageError where it cannot.
  diffusion::Model unconditional() const;

  /// The model as it is, at all its steps.
  diffusion::Denoiser denoiser() const;
};

DiffusionModel open_diffusion(const std::filesystem::path& path, const std::string& arch, Placement placement,
                              const WeightsChoice& choice = {});

/// What config.json's "noise_schedule" may say: "linear", "cosine".
const std::vector<std::pair<std::string, diffusion::BetaSchedule>>& beta_schedule_words();

/// What config.json's "predict" may say: "epsilon", "x0", "previous_x", "v".
const std::vector<std::pair<std::string, diffusion::MeanType>>& mean_type_words();

/// The process that config.json's "diffusion" describes. CheckpointError names an entry that it cannot have.
diffusion::ProcessConfig process_config(const nlohmann::json& diffusion);

/// The channels of a model's output that classifier-free guidance and autoguidance act on.
enum class CfgChannels {
  kModel,  ///< those of the model's own sampler (DiT: the first 3 of 4)
  kThree,  ///< the first 3
  kAll,
};

/// A diffusion model, and what is mixed with it.
struct DenoiserConfig {
  std::string path;             ///< folder with config.json and weights, or a checkpoint file
  std::string arch;             ///< architecture of a checkpoint file; "" for a folder
  WeightsChoice weights;        ///< of a checkpoint file
  bool unconditional = false;   ///< the model gets no labels
  int64_t denoiser_label = -1;  ///< the label it gets for every image; -1 is the image's own
  static constexpr Range kDenoiserLabel{-1, 1e9};
  double cfg_scale = 1;  ///< classifier-free guidance; 1 is off
  static constexpr Range kCfgScale{-100, 100};
  CfgChannels cfg_channels = CfgChannels::kModel;
  std::optional<Interval> cfg_interval;  ///< noise levels sigma between which it or autoguidance act; none is all
  static constexpr Range kCfgInterval{0};
  std::string autoguidance_model;  ///< the weaker model to move away from, as `path`; "" is none
  std::string autoguidance_arch;
  WeightsChoice autoguidance_weights;
  double autoguidance_scale = 1;  ///< s of bad + s (good - bad), in kCfgScale; 1 is the model alone
  std::string vae;                ///< autoencoder of a model that draws latents, as `path`
  std::string vae_arch;
  WeightsChoice vae_weights;
  std::optional<Precision> vae_precision;  ///< none: as the placement says
};

/// `model` with the guidance that config sets up around it, at all its steps.
diffusion::Denoiser open_denoiser(const DiffusionModel& model, const DenoiserConfig& config, Placement placement);

// From the samples of a latent diffusion model to images (Rombach et al. 2022).

struct Decoder {
  /// Samples [N, C, h, w] to images in [-1, 1], differentiable, thread-safe; ShapeError for another C.
  std::function<Tensor(const Tensor& z)> decode;
  std::vector<int64_t> image_shape;  ///< [C, H, W]
};

/// The decoder of config.vae, none for a model that draws images. The model's config.json may say in "latents" how it
/// scales them: z = (latent - mean) scaled_std/std per channel, and the range "pixels" that its autoencoder works in;
/// otherwise the autoencoder's own scaling factor counts. UsageError where the autoencoder is missing or does not fit.
std::optional<Decoder> open_decoder(const DiffusionModel& model, const DenoiserConfig& config, Placement placement);

}  // namespace sextant::models
