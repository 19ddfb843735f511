// From the samples of a latent diffusion model to images.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <vector>

#include "internal/commands/sample.h"
#include "sextant/models/models.h"

namespace sextant::commands {

struct Decoder {
  std::function<Tensor(const Tensor&)> decode;  ///< samples to images in [-1, 1], differentiable; empty for images
  std::vector<int64_t> image_shape;             ///< [C, H, W]
};

/// For a model with samples of `sample_shape`. Its config.json may say in "latents" how it scales them: z = (latent -
/// mean) scaled_std/std per channel, and the range "pixels" that its autoencoder works in; otherwise the autoencoder's
/// own scaling factor counts. UsageError where --vae is missing or does not fit.
Decoder open_decoder(const SampleConfig& config, const models::DiffusionModel& model, models::Placement placement);

}  // namespace sextant::commands
