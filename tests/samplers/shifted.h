// A mixture, its guide and its sampling loops: what the tests of shifts and of recurrence share.
#pragma once

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <numbers>
#include <numeric>

#include "guided_x0.h"
#include "samplers/golden_run.h"
#include "samplers/toy.h"
#include "sextant/diffusion/mixture.h"
#include "sextant/guidance/score.h"
#include "sextant/runtime/error.h"
#include "support/errors.h"

namespace sextant::testing {

using guidance::Guide;
using guidance::GuideConfig;
using guidance::Input;

inline constexpr uint64_t kShiftSeed = 12;

inline diffusion::Mixture mixture() {
  return {at::tensor({0.4, 0.35, 0.25}, at::kDouble),
          at::tensor({-0.6, 0.1, 0.6, 0.5, 0.2, -0.9}, at::kDouble).view({3, 2}),
          at::tensor({0.20, 0.05, 0.05, 0.10, 0.15, -0.05, -0.05, 0.20, 0.06, 0.0, 0.0, 0.06}, at::kDouble)
              .view({3, 2, 2})};
}

inline diffusion::Process shift_process(int64_t steps,
                                        diffusion::BetaSchedule schedule = diffusion::BetaSchedule::kLinear) {
  diffusion::ProcessConfig config;
  config.schedule = schedule;
  config.respacing = std::to_string(steps);
  config.variance = diffusion::VarianceType::kFixedSmall;
  config.clip = false;
  return diffusion::Process(config);
}

inline Guide guide_at(Input input, const std::function<void(GuideConfig&)>& change = {}) {
  GuideConfig config;
  config.input = input;
  config.gamma_factor = 0;
  if (change) change(config);
  return Guide(diffusion::mixture_classifier(mixture()), guidance::named_score("plain"), config);
}

inline std::vector<int64_t> first(int64_t n) {
  std::vector<int64_t> indices(static_cast<std::size_t>(n));
  std::iota(indices.begin(), indices.end(), int64_t{0});
  return indices;
}

inline Tensor targets_of(const std::vector<int64_t>& which) { return at::tensor(which, at::kLong).remainder(3); }

struct Loop {
  samplers::Sampler* sampler = samplers::sample_ddim;
  double eta = 0;
  int64_t recurrence = 1;
  int64_t steps = 10;

  Tensor operator()(Guide* guide, const std::vector<int64_t>& which) const {
    DoubleNoise noise(kShiftSeed, which, {2, 1, 1});
    const Tensor y = targets_of(which);
    samplers::SamplerConfig config;
    config.eta = eta;
    config.recurrence = recurrence;
    return sampler({diffusion::mixture_denoiser(mixture(), shift_process(steps)), guide, y, y, noise}, config);
  }
};

inline void expect_images_independent_of_their_batch(const std::function<Tensor(const std::vector<int64_t>&)>& draw) {
  const Tensor all = draw(first(64));
  const Tensor seven = draw(first(7));
  for (int64_t n : {0, 3, 6}) {
    EXPECT_TENSOR_NEAR(draw({n})[0], all[n], (Tolerance{1e-12, 1e-12}));
    EXPECT_TENSOR_NEAR(seven[n], all[n], (Tolerance{1e-12, 1e-12}));
  }
}

}  // namespace sextant::testing
