// The layouts in which the autoencoders of Stable Diffusion are published.
#pragma once

#include "sextant/checkpoint/checkpoint.h"

namespace sextant::networks::vae {

/// The weights under the names of diffusers' current AutoencoderKL, from any of
///
///   diffusers               encoder.mid_block.attentions.0.to_q.weight      returned as they are
///   diffusers before 0.18   encoder.mid_block.attentions.0.query.weight     (sd-vae-ft-mse, sd-vae-ft-ema)
///   latent-diffusion        encoder.mid.attn_1.q.weight                     1 x 1 convolutions in the attention;
///   losses dropped stable-diffusion        first_stage_model.encoder.mid.attn_1.q.weight   everything else in the file
///   dropped
///
/// `levels` is the number of resolutions: latent-diffusion counts the decoder's from the other end.
checkpoint::StateDict canonical_names(const checkpoint::StateDict& weights, int64_t levels);

}  // namespace sextant::networks::vae
