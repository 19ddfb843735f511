// How long denoiser and classifier take. Wrappers that keep time and change nothing.
#pragma once

#include <memory>

#include "sextant/diffusion/process.h"
#include "sextant/diffusion/sigma.h"

namespace sextant::commands {

struct Meter {
  double denoiser_seconds = 0;
  double classifier_seconds = 0;  ///< forward and backward
};

std::shared_ptr<const diffusion::Denoiser> metered(std::shared_ptr<const diffusion::Denoiser> denoiser,
                                                   std::shared_ptr<Meter> meter);

std::shared_ptr<const diffusion::SigmaDenoiser> metered(std::shared_ptr<const diffusion::SigmaDenoiser> denoiser,
                                                        std::shared_ptr<Meter> meter);

}  // namespace sextant::commands
