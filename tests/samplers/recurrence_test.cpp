// Universal guidance's recurrence: each step made several times.
#include "samplers/shifted.h"

namespace sextant::testing {
namespace {

/// The plain loops, written out once more.
Tensor plain_loop(samplers::Sampler* sampler, Guide& guide, const std::vector<int64_t>& which, double eta) {
  const at::NoGradGuard no_grad;
  const diffusion::Denoiser denoiser = diffusion::mixture_denoiser(mixture(), shift_process(10));
  const diffusion::Process& process = denoiser.process();
  DoubleNoise noise(kShiftSeed, which, {2, 1, 1});
  const Tensor y = targets_of(which);
  const samplers::Run run{denoiser, &guide, y, y, noise};
  FiniteWatch watch(at::kCPU);
  guide.begin();
  Tensor x = noise.initial();
  for (int64_t t = 9; t >= 0; --t) {
    if (sampler == samplers::sample_ddpm) {
      const diffusion::Prediction p = denoiser.predict(x, t, y);
      const guidance::GuideInput in = samplers::guide_input(run, watch, p, x, t);
      const Tensor gamma = guide.gamma(in);
      const Tensor mean = at::addcmul(p.mean, gamma, guide(in).gradient);
      x = t > 0 ? at::addcmul(mean, (0.5 * p.log_variance).exp(), noise.at_step(t)) : mean;
    } else {
      const Tensor x0 = samplers::predict_guided(run, watch, x, t).x0;
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
  const diffusion::Denoiser denoiser = diffusion::mixture_denoiser(mixture(), shift_process(10));
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
  const diffusion::Denoiser denoiser = diffusion::mixture_denoiser(mixture(), shift_process(10));
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
