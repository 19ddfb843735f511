// From the samples of a latent diffusion model to images (Rombach et al. 2022).
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "sextant/models/denoiser.h"

namespace sextant::models {

struct Decoder {
  std::function<Tensor(const Tensor& z)> decode;  ///< samples to images in [-1, 1], differentiable, thread-safe
  std::vector<int64_t> image_shape;               ///< [C, H, W]
};

/// The decoder of config.vae, none for a model that draws images. The model's config.json may say in "latents" how it
/// scales them: z = (latent - mean) scaled_std/std per channel, and the range "pixels" that its autoencoder works in;
/// otherwise the autoencoder's own scaling factor counts. UsageError where the autoencoder is missing or does not fit.
std::optional<Decoder> open_decoder(const DiffusionModel& model, const DenoiserConfig& config, Placement placement);

}  // namespace sextant::models
