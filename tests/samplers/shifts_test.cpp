// How a guide moves the predicted x0: the score's shift, and universal guidance's backward steps.
#include "samplers/shifted.h"

namespace sextant::testing {
namespace {

// ---- a gradient at x0 in the score ------------------------------------------------------------------------------

TEST(ScoreShiftAtX0, IsOneMinusAbarTimesTheGradient) {
  const diffusion::Denoiser denoiser = diffusion::mixture_denoiser(mixture(), shift_process(10));
  Guide guide = guide_at(Input::kX0, [](GuideConfig& c) { c.gamma_factor = 0.3; });
  DoubleNoise noise(kShiftSeed, first(5), {2, 1, 1});
  const Tensor x = noise.initial();
  const Tensor y = targets_of(first(5));
  FiniteWatch watch(at::kCPU);
  for (const int64_t step : {0, 4, 9}) {
    const Tensor x0 = denoiser.predict(x, step, y).x0;
    const double abar = denoiser.process().abar(step);
    const Tensor gradient = mixture().class_score(x0.flatten(1), y).view(x.sizes());
    const double sine = 1 + 0.3 * std::sin(std::numbers::pi * static_cast<double>(step) / 10);
    EXPECT_TENSOR_NEAR(samplers::predict_guided({denoiser, &guide, y, y, noise}, watch, x, step).x0,
                       x0 + (1 - abar) * sine * gradient, (Tolerance{1e-12, 1e-12}));
  }
}

TEST(ScoreShiftAtX0, StaysBoundedWhereAlphasCumprodIsNearZero) {
  // The cosine schedule ends at abar = 2e-9: 1/sqrt(abar) is 2e4 there.
  const diffusion::Process process = shift_process(1000, diffusion::BetaSchedule::kCosine);
  ASSERT_LT(process.abar(999), 1e-8);
  const diffusion::Denoiser denoiser = diffusion::mixture_denoiser(mixture(), process);
  Guide guide = guide_at(Input::kX0);
  DoubleNoise noise(kShiftSeed, first(8), {2, 1, 1});
  const Tensor x = noise.initial();
  const Tensor y = targets_of(first(8));
  FiniteWatch watch(at::kCPU);
  const samplers::GuidedX0 guided = samplers::predict_guided({denoiser, &guide, y, y, noise}, watch, x, 999);
  const Tensor shift = guided.x0 - denoiser.predict(x, 999, y).x0;
  EXPECT_LE(shift.abs().max().item<double>(), guided.guidance->gradient.abs().max().item<double>());
  EXPECT_GT(shift.abs().max().item<double>(), 0.01);
}

TEST(ScoreShiftAtX0, StaysBoundedAtLargeNoiseLevels) {
  const diffusion::Denoiser denoiser = diffusion::mixture_denoiser(mixture());
  Guide guide = guide_at(Input::kX0);
  DoubleNoise noise(kShiftSeed, first(6), {2, 1, 1});
  const Tensor y = targets_of(first(6));
  samplers::SamplerConfig config;
  config.steps = 12;
  const Tensor start = noise.initial() * 80;
  const auto observe = [&](const samplers::Step& step) {
    if (step.step != 11) return;
    // The first step: x' = x + (sigma' - sigma)/sigma (x - D'), solved for D' = D + sigma^2/(1 + sigma^2) g.
    const Tensor D = denoiser.denoise(start, 80, y);
    const Tensor gradient = mixture().class_score(D.flatten(1), y).view(D.sizes());
    EXPECT_TENSOR_NEAR(step.x0, D + 6400.0 / 6401 * gradient, (Tolerance{1e-6, 1e-6}));
  };
  samplers::sample_edm_euler({denoiser, &guide, y, y, noise, observe}, config);
}

TEST(ScoreShiftAtX0, DrawsImagesThatDoNotDependOnTheirBatch) {
  expect_images_independent_of_their_batch([](const std::vector<int64_t>& which) {
    Guide guide = guide_at(Input::kX0);
    return Loop{samplers::sample_ddim, 0.5}(&guide, which);
  });
}

// ---- backward guidance --------------------------------------------------------------------------------------------

guidance::GuideInput clean_input(int64_t n) {
  guidance::GuideInput in;
  DoubleNoise noise(kShiftSeed, first(n), {2, 1, 1});
  in.x = noise.initial();
  in.x0 = 0.5 * in.x;
  in.t = at::zeros({n}, at::kDouble);
  in.variance = at::ones({1, 1, 1, 1}, at::kDouble);
  in.y = targets_of(first(n));
  in.num_steps = 10;
  return in;
}

TEST(BackwardGuidance, IsGradientAscentOnTheScoreAtX0) {
  const guidance::GuideInput in = clean_input(6);
  const Guide guide = guide_at(Input::kThroughDenoiser, [](GuideConfig& c) {
    c.scale = 7;  // no part of it
    c.backward_steps = 3;
    c.backward_lr = 0.05;
  });
  Tensor x0 = in.x0;
  for (int i = 0; i < 3; ++i) x0 = x0 + 0.05 * mixture().class_score(x0.flatten(1), in.y).view(x0.sizes());
  EXPECT_TENSOR_NEAR(guide.backward(in), x0 - in.x0, (Tolerance{1e-12, 1e-12}));
}

TEST(BackwardGuidance, RaisesTheScoreWithEveryStep) {
  const guidance::GuideInput in = clean_input(16);
  const auto score = [&](const Tensor& x0) {
    const Tensor log_p = mixture().log_joint(x0.flatten(1)).log_softmax(1);
    return log_p.gather(1, in.y.unsqueeze(1)).mean().item<double>();
  };
  double before = score(in.x0);
  for (const int64_t steps : {1, 4, 16}) {
    const Guide guide = guide_at(Input::kX0, [&](GuideConfig& c) {
      c.backward_steps = steps;
      c.backward_lr = 0.02;
    });
    const double now = score(in.x0 + guide.backward(in));
    EXPECT_GT(now, before) << steps;
    before = now;
  }
}

TEST(BackwardGuidance, IsNothingWithoutStepsAndRefusedForNoisyImages) {
  EXPECT_FALSE(guide_at(Input::kX0).backward(clean_input(2)).defined());
  EXPECT_NE(message_of<UsageError>([&] {
              guide_at(Input::kNoisy, [](GuideConfig& c) { c.backward_steps = 1; });
            }).find("noise-aware classifier does not read"),
            std::string::npos);
}

TEST(BackwardGuidance, MovesTheMeanByX0sShareOfIt) {
  const diffusion::Denoiser denoiser = diffusion::mixture_denoiser(mixture(), shift_process(10));
  const auto first_step = [&](int64_t backward_steps) {
    Guide guide = guide_at(Input::kX0, [&](GuideConfig& c) { c.backward_steps = backward_steps; });
    Recording run;
    DoubleNoise noise(kShiftSeed, first(4), {2, 1, 1});
    const Tensor y = targets_of(first(4));
    samplers::sample_ddpm({denoiser, &guide, y, y, noise, run.observer()}, {});
    return run;
  };
  const Recording plain = first_step(0), moved = first_step(2);
  guidance::GuideInput in = clean_input(4);
  in.x0 = plain.x0[0];
  const Tensor delta = guide_at(Input::kX0, [](GuideConfig& c) { c.backward_steps = 2; }).backward(in);
  EXPECT_TENSOR_NEAR(moved.x[0], plain.x[0] + denoiser.process().posterior_mean_coef1(9) * delta,
                     (Tolerance{1e-12, 1e-12}));
}

}  // namespace
}  // namespace sextant::testing
