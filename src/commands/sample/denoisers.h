// The denoiser of a run: a diffusion model with classifier-free guidance or autoguidance around it.
#pragma once

#include <memory>

#include "internal/commands/sample.h"
#include "sextant/diffusion/process.h"
#include "sextant/diffusion/sigma.h"
#include "sextant/models/models.h"

namespace sextant::commands {

/// Where noise levels are no timesteps: the timesteps of `process`, as its network receives them, whose sigma =
/// sqrt((1 - abar)/abar) lies in `levels`. UsageError when there is none.
Interval timesteps_between(const diffusion::ProcessConfig& process, Interval levels);

/// Of a model at discrete timesteps, `config.steps` of them. UsageError where settings and models do not fit.
std::shared_ptr<const diffusion::Denoiser> open_denoiser(const SampleConfig& config,
                                                         const models::DiffusionModel& model,
                                                         models::Placement placement);

/// Of a model of noise levels.
std::shared_ptr<const diffusion::SigmaDenoiser> open_sigma_denoiser(const SampleConfig& config,
                                                                    const models::DiffusionModel& model,
                                                                    models::Placement placement);

}  // namespace sextant::commands
