// Samplers by name.
#pragma once

#include <string>
#include <vector>

#include "internal/commands/sample.h"
#include "sample/cast.h"
#include "sextant/samplers/samplers.h"

namespace sextant::commands {

/// The names that --sampler takes.
std::vector<std::string> sampler_names();

/// Whether the sampler draws from a diffusion::SigmaDenoiser rather than from a diffusion::Denoiser.
bool draws_by_sigma(const std::string& name);

/// What one batch is drawn for: see samplers.h.
struct BatchTask {
  guidance::Guide* guide = nullptr;
  Tensor labels;
  Tensor targets;
};

/// Runs config.sampler on the cast's denoiser.
Tensor run_sampler(const SampleConfig& config, const Cast& cast, const BatchTask& task, Noise& noise,
                   const samplers::StepObserver& observe);

}  // namespace sextant::commands
