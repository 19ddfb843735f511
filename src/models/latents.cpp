#include "internal/networks/inference.h"
#include "sextant/models/denoiser.h"
#include "sextant/runtime/error.h"

namespace sextant::models {
namespace {

/// How a model's samples z relate to an autoencoder's latents and pixels: latent = z scale + shift.
struct LatentSpace {
  std::vector<double> scale;
  std::vector<double> shift;
  double low = -1;  ///< the autoencoder's range of pixels
  double high = 1;
};

LatentSpace latent_space(const nlohmann::json& config, int64_t channels, double scaling_factor) {
  LatentSpace space;
  space.scale.assign(static_cast<std::size_t>(channels), 1 / scaling_factor);
  space.shift.assign(static_cast<std::size_t>(channels), 0.0);
  const auto latents = config.find("latents");
  if (latents == config.end()) return space;
  try {
    const auto mean = latents->at("mean").get<std::vector<double>>();
    const auto std = latents->at("std").get<std::vector<double>>();
    const double scaled_std = latents->at("scaled_std");
    const auto pixels = latents->value("pixels", std::vector<double>{-1, 1});
    if (mean.size() != space.shift.size() || std.size() != mean.size() || pixels.size() != 2 ||
        !(pixels[1] > pixels[0]) || !(scaled_std > 0)) {
      throw CheckpointError("config.json: \"latents\" needs a mean and a std for each of " + std::to_string(channels) +
                            " channels, scaled_std above 0 and pixels [low, high]: " + latents->dump());
    }
    for (std::size_t c = 0; c < std.size(); ++c) space.scale[c] = std[c] / scaled_std;
    space.shift = mean;
    space.low = pixels[0];
    space.high = pixels[1];
  } catch (const nlohmann::json::exception&) {
    throw CheckpointError("config.json: \"latents\" lacks an entry or has one of the wrong type: " + latents->dump());
  }
  return space;
}

Tensor per_channel(const std::vector<double>& values, at::Device device) {
  return at::tensor(values, at::kFloat).view({1, -1, 1, 1}).to(device);
}

}  // namespace

std::optional<Decoder> open_decoder(const DiffusionModel& model, const DenoiserConfig& config, Placement placement) {
  const int64_t channels = model.sample_shape[0];
  const bool images = channels == 1 || channels == 3 || model.points;
  if (config.vae.empty()) {
    if (images) return std::nullopt;
    throw UsageError(model.source + " draws latents of " + std::to_string(channels) +
                     " channels; give the vae that decodes them");
  }
  if (config.vae_precision) placement.precision = dtype_of(*config.vae_precision);
  const auto network = open_network(describe(config.vae, config.vae_arch, config.vae_weights), placement);
  const auto vae = std::dynamic_pointer_cast<const networks::Autoencoder>(network);
  if (!vae) throw UsageError("vae " + config.vae + " is no autoencoder");
  if (vae->latent_channels() != channels) {
    throw UsageError("vae " + config.vae + " has latents of " + std::to_string(vae->latent_channels()) + " channels, " +
                     model.source + " draws " + std::to_string(channels) +
                     (images ? "; it draws images, leave the vae out" : "; give the autoencoder it was trained with"));
  }
  const LatentSpace space = latent_space(model.config, channels, vae->scaling_factor());
  const Tensor scale = per_channel(space.scale, placement.device);
  const Tensor shift = per_channel(space.shift, placement.device);
  Decoder decoder;
  decoder.image_shape = {3, model.sample_shape[1] * vae->factor(), model.sample_shape[2] * vae->factor()};
  const networks::Inference decode(
      vae, [&vae = *vae](const Tensor& latents, const Tensor&, const Tensor&) { return vae.decode(latents); });
  decoder.decode = [=](const Tensor& z) {
    if (z.dim() != 4 || z.size(1) != channels) {
      throw ShapeError(c10::str("decoder: expected latents [N, ", channels, ", H, W], got ", z.sizes()));
    }
    const Tensor pixels = decode(at::addcmul(shift, z, scale));
    if (space.low == -1 && space.high == 1) return pixels;
    return 2 * (pixels - space.low) / (space.high - space.low) - 1;
  };
  return decoder;
}

}  // namespace sextant::models
