// How a guide moves the predicted x0: the score's shift, and universal guidance's backward steps and recurrence.
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <numbers>
#include <numeric>

#include "guided_x0.h"
#include "samplers/golden_run.h"
#include "samplers/toy.h"
#include "sextant/diffusion/mixture.h"
#include "sextant/guidance/named_score.h"
#include "sextant/runtime/error.h"
#include "support/errors.h"

namespace sextant::testing {
namespace {

using guidance::Guide;
using guidance::GuideConfig;
using guidance::Input;

constexpr uint64_t kShiftSeed = 12;

diffusion::Mixture mixture() {
  return {at::tensor({0.4, 0.35, 0.25}, at::kDouble),
          at::tensor({-0.6, 0.1, 0.6, 0.5, 0.2, -0.9}, at::kDouble).view({3, 2}),
          at::tensor({0.20, 0.05, 0.05, 0.10, 0.15, -0.05, -0.05, 0.20, 0.06, 0.0, 0.0, 0.06}, at::kDouble)
              .view({3, 2, 2})};
}

diffusion::Process process_of(int64_t steps, diffusion::BetaSchedule schedule = diffusion::BetaSchedule::kLinear) {
  diffusion::ProcessConfig config;
  config.schedule = schedule;
  config.respacing = std::to_string(steps);
  config.variance = diffusion::VarianceType::kFixedSmall;
  config.clip = false;
  return diffusion::Process(config);
}

Guide guide_at(Input input, const std::function<void(GuideConfig&)>& change = {}) {
  GuideConfig config;
  config.input = input;
  config.gamma_factor = 0;
  if (change) change(config);
  return Guide(diffusion::mixture_classifier(mixture()), guidance::named_score("plain"), config);
}

std::vector<int64_t> first(int64_t n) {
  std::vector<int64_t> indices(static_cast<std::size_t>(n));
  std::iota(indices.begin(), indices.end(), int64_t{0});
  return indices;
}

Tensor targets_of(const std::vector<int64_t>& which) { return at::tensor(which, at::kLong).remainder(3); }

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
    return sampler({diffusion::mixture_denoiser(mixture(), process_of(steps)), guide, y, y, noise}, config);
  }
};

void expect_images_independent_of_their_batch(const std::function<Tensor(const std::vector<int64_t>&)>& draw) {
  const Tensor all = draw(first(64));
  const Tensor seven = draw(first(7));
  for (int64_t n : {0, 3, 6}) {
    EXPECT_TENSOR_NEAR(draw({n})[0], all[n], (Tolerance{1e-12, 1e-12}));
    EXPECT_TENSOR_NEAR(seven[n], all[n], (Tolerance{1e-12, 1e-12}));
  }
}

// ---- a gradient at x0 in the score ------------------------------------------------------------------------------

TEST(ScoreShiftAtX0, IsOneMinusAbarTimesTheGradient) {
  const diffusion::Denoiser denoiser = diffusion::mixture_denoiser(mixture(), process_of(10));
  Guide guide = guide_at(Input::kX0, [](GuideConfig& c) { c.gamma_factor = 0.3; });
  DoubleNoise noise(kShiftSeed, first(5), {2, 1, 1});
  const Tensor x = noise.initial();
  const Tensor y = targets_of(first(5));
  for (const int64_t step : {0, 4, 9}) {
    const Tensor x0 = denoiser.predict(x, step, y).x0;
    const double abar = denoiser.process().abar(step);
    const Tensor gradient = mixture().class_score(x0.flatten(1), y).view(x.sizes());
    const double sine = 1 + 0.3 * std::sin(std::numbers::pi * static_cast<double>(step) / 10);
    EXPECT_TENSOR_NEAR(samplers::predict_guided({denoiser, &guide, y, y, noise}, x, step).x0,
                       x0 + (1 - abar) * sine * gradient, (Tolerance{1e-12, 1e-12}));
  }
}

TEST(ScoreShiftAtX0, StaysBoundedWhereAlphasCumprodIsNearZero) {
  // The cosine schedule ends at abar = 2e-9: 1/sqrt(abar) is 2e4 there.
  const diffusion::Process process = process_of(1000, diffusion::BetaSchedule::kCosine);
  ASSERT_LT(process.abar(999), 1e-8);
  const diffusion::Denoiser denoiser = diffusion::mixture_denoiser(mixture(), process);
  Guide guide = guide_at(Input::kX0);
  DoubleNoise noise(kShiftSeed, first(8), {2, 1, 1});
  const Tensor x = noise.initial();
  const Tensor y = targets_of(first(8));
  const samplers::GuidedX0 guided = samplers::predict_guided({denoiser, &guide, y, y, noise}, x, 999);
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
  const diffusion::Denoiser denoiser = diffusion::mixture_denoiser(mixture(), process_of(10));
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

// ---- recurrence -----------------------------------------------------------------------------------------------------

/// The plain loops, written out once more.
Tensor plain_loop(samplers::Sampler* sampler, Guide& guide, const std::vector<int64_t>& which, double eta) {
  const at::NoGradGuard no_grad;
  const diffusion::Denoiser denoiser = diffusion::mixture_denoiser(mixture(), process_of(10));
  const diffusion::Process& process = denoiser.process();
  DoubleNoise noise(kShiftSeed, which, {2, 1, 1});
  const Tensor y = targets_of(which);
  const samplers::Run run{denoiser, &guide, y, y, noise};
  guide.begin();
  Tensor x = noise.initial();
  for (int64_t t = 9; t >= 0; --t) {
    if (sampler == samplers::sample_ddpm) {
      const diffusion::Prediction p = denoiser.predict(x, t, y);
      const guidance::GuideInput in = samplers::guide_input(run, p, x, t);
      const Tensor gamma = guide.gamma(in);
      const Tensor mean = at::addcmul(p.mean, gamma, guide(in).gradient);
      x = t > 0 ? at::addcmul(mean, (0.5 * p.log_variance).exp(), noise.at_step(t)) : mean;
    } else {
      const Tensor x0 = samplers::predict_guided(run, x, t).x0;
      const Tensor eps = process.epsilon_from_x0(x, t, x0);
      const double abar = process.abar(t), before = process.abar_prev(t);
      const double sigma = eta * std::sqrt((1 - before) / (1 - abar)) * std::sqrt(1 - abar / before);
      x = at::add(std::sqrt(before) * x0, eps, std::sqrt(std::max(1 - before - sigma * sigma, 0.0)));
      if (sigma > 0) x = at::add(x, noise.at_step(t), sigma);
    }
  }
  return x;
}

/// The samplers of the table that take a recurrence.
std::vector<samplers::SamplerRow> recurring() {
  std::vector<samplers::SamplerRow> rows = samplers::table();
  std::erase_if(rows, [](const samplers::SamplerRow& row) { return !row.recurs; });
  return rows;
}

class Recurrence : public ::testing::TestWithParam<samplers::SamplerRow> {};
INSTANTIATE_TEST_SUITE_P(All, Recurrence, ::testing::ValuesIn(recurring()),
                         [](const auto& info) { return info.param.word; });

TEST_P(Recurrence, OfOneWithoutBackwardStepsIsThePlainLoopBitForBit) {
  Guide guide = guide_at(Input::kX0);
  EXPECT_TRUE(
      (Loop{GetParam().sampler, 0.5, 1}(&guide, first(5)).equal(plain_loop(GetParam().sampler, guide, first(5), 0.5))));
}

TEST_P(Recurrence, WithBackwardStepsDrawsImagesThatDoNotDependOnTheirBatch) {
  expect_images_independent_of_their_batch([](const std::vector<int64_t>& which) {
    Guide guide = guide_at(Input::kThroughDenoiser, [](GuideConfig& c) { c.backward_steps = 2; });
    return Loop{GetParam().sampler, 0.5, 3}(&guide, which);
  });
}

TEST_P(Recurrence, ReportsEveryStepOnce) {
  const diffusion::Denoiser denoiser = diffusion::mixture_denoiser(mixture(), process_of(10));
  DoubleNoise noise(kShiftSeed, first(2), {2, 1, 1});
  const Tensor y = targets_of(first(2));
  std::vector<int64_t> steps;
  samplers::SamplerConfig config;
  config.recurrence = 4;
  const auto observe = [&](const samplers::Step& step) { steps.push_back(step.step); };
  GetParam().sampler({denoiser, nullptr, y, y, noise, observe}, config);
  EXPECT_EQ(steps, (std::vector<int64_t>{9, 8, 7, 6, 5, 4, 3, 2, 1, 0}));
}

TEST_P(Recurrence, KeepsTheDistributionOfAnExactModel) {
  // Renoising x_{t-1} gives x_t again where x_{t-1} has the right distribution.
  const auto samples = first(4000);
  const Tensor x = Loop{GetParam().sampler, 1, 3, 60}(nullptr, samples).flatten(1);
  const Tensor exact_mean =
      at::tensor({0.4 * -0.6 + 0.35 * 0.6 + 0.25 * 0.2, 0.4 * 0.1 + 0.35 * 0.5 + 0.25 * -0.9}, at::kDouble);
  EXPECT_TENSOR_NEAR(x.mean(0), exact_mean, (Tolerance{0.04, 0}));
  const Tensor share = mixture().posterior(x).mean(0);
  EXPECT_TENSOR_NEAR(share, at::tensor({0.4, 0.35, 0.25}, at::kDouble), (Tolerance{0.03, 0}));
}

/// How far the images drawn for each class are from draws of its component: the mean distance between sorted
/// projections on 16 directions of the plane.
double distance_to_components(const Tensor& x, const Tensor& y) {
  const Tensor truth = mixture().draw(y, at::randn(x.sizes(), at::detail::createCPUGenerator(5), at::kDouble));
  const Tensor angle = at::arange(16, at::kDouble) * (std::numbers::pi / 16);
  const Tensor directions = at::stack({angle.cos(), angle.sin()});
  double sum = 0;
  for (int64_t k = 0; k < 3; ++k) {
    const Tensor rows = (y == k).nonzero().squeeze(1);
    const auto sorted = [&](const Tensor& points) {
      return std::get<0>(at::matmul(points.index_select(0, rows), directions).sort(0));
    };
    sum += (sorted(x) - sorted(truth)).abs().mean().item<double>() / 3;
  }
  return sum;
}

TEST_P(Recurrence, KeepsTheAskedClassAndComesNearerToItsDistribution) {
  const auto samples = first(1500);
  const Tensor y = targets_of(samples);
  const auto asked = [&](const Tensor& x) {
    return (mixture().log_joint(x).argmax(1) == y).to(at::kDouble).mean().item<double>();
  };
  const auto guided = [&](int64_t recurrence) {
    Guide guide = guide_at(Input::kThroughDenoiser);
    return Loop{GetParam().sampler, 0, recurrence, 100}(&guide, samples).flatten(1);
  };
  const Tensor once = guided(1), often = guided(4);
  const Tensor truth = mixture().draw(y, at::randn({1500, 2}, at::detail::createCPUGenerator(6), at::kDouble));
  EXPECT_GT(asked(often), asked(truth) - 0.03);
  EXPECT_LT(distance_to_components(often, y), 0.8 * distance_to_components(once, y));
}

TEST(RecurrenceSettings, AreCheckedWhereTheyHaveNoMeaning) {
  DoubleNoise noise(kShiftSeed, first(1), {2, 1, 1});
  const diffusion::Denoiser denoiser = diffusion::mixture_denoiser(mixture(), process_of(10));
  samplers::SamplerConfig config;
  config.steps = 10;
  config.recurrence = 2;
  config.sampler = samplers::sample_unipc;
  EXPECT_NE(message_of<UsageError>([&] {
              samplers::check(config, denoiser);
            }).find("sampler unipc takes each step once; use ddpm or ddim"),
            std::string::npos);
  config.recurrence = 0;
  const Tensor y = targets_of({0});
  EXPECT_THROW(samplers::sample_ddpm({denoiser, nullptr, y, y, noise}, config), UsageError);
}

}  // namespace
}  // namespace sextant::testing
