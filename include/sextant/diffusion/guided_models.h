// Models made of models: classifier-free guidance, autoguidance, guidance in an interval, and time keeping.
//
// All work alike on networks that count timesteps and on those that count noise levels.
#pragma once

#include <functional>

#include "sextant/diffusion/denoiser.h"
#include "sextant/runtime/interval.h"

namespace sextant::diffusion {

/// Classifier-free guidance: one call at twice the batch, labels `y` and the null class, mixed as u + scale (c - u) on
/// the first `guided_channels` channels of the output (epsilon's); the others, variance among them, stay the
/// conditional ones. scale 1 is the conditional model at its own price.
Model classifier_free(Model model, int64_t null_class, double scale, int64_t guided_channels);

/// Autoguidance (Karras et al. 2024): away from `bad`, a smaller or less trained model of the same kind, bad + scale
/// (good - bad) on the first `guided_channels` channels; the others are those of `good`. It is classifier-free guidance
/// where `bad` is the same network without labels.
Model autoguidance(Model good, Model bad, double scale, int64_t guided_channels);

/// `inside` for the images whose t lies in the interval, `outside` for the others; only the ones needed are called.
/// Guidance confined to an interval of noise levels (Kynkaanniemi et al. 2024) is in_interval(classifier_free(model,
/// ...), model, interval).
Model in_interval(Model inside, Model outside, Interval interval);

/// The interval of timesteps, as a network of `process` receives them, whose sigma = sqrt((1 - abar)/abar) lies in
/// `sigmas`. UsageError where there is none.
Interval timesteps_between(const ProcessConfig& process, Interval sigmas);

/// `model` with one label for every image.
Model labelled(Model model, int64_t label);

/// `took` hears the seconds of each call, with the device's work done.
Denoiser timed(const Denoiser& denoiser, std::function<void(double seconds)> took);

}  // namespace sextant::diffusion
