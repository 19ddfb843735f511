// Samplers on the exact Gaussian mixture: what is drawn must be the mixture, and what is guided its component.
#include <ATen/CPUGeneratorImpl.h>

#include <numbers>
#include <numeric>

#include "sextant/diffusion/mixture.h"
#include "sextant/guidance/score.h"
#include "sextant/runtime/device.h"
#include "sextant/samplers/samplers.h"
#include "support/golden.h"

namespace sextant::samplers {
namespace {

using diffusion::Mixture;
using diffusion::mixture_denoiser;
using diffusion::Process;

constexpr int64_t kSamples = 3000;

/// Points in the plane are too small for a second thread, which would only wait for the first.
class MixtureSampling : public ::testing::Test {
 protected:
  MixtureSampling() { set_threads(1); }
  ~MixtureSampling() override { set_threads(before_); }

 private:
  int before_ = threads();
};

/// Two broad components that overlap, so that guidance has work to do, and a narrow one.
Mixture example() {
  return Mixture(at::tensor({0.5, 0.3, 0.2}, at::kDouble),
                 at::tensor({-0.6, 0.0, 0.7, 0.4, 0.2, -1.1}, at::kDouble).view({3, 2}),
                 at::tensor({0.20, 0.05, 0.05, 0.10, 0.15, -0.05, -0.05, 0.20, 0.02, 0.0, 0.0, 0.02}, at::kDouble)
                     .view({3, 2, 2}));
}

Process process_of(int64_t steps) {
  diffusion::ProcessConfig config;
  config.variance = diffusion::VarianceType::kFixedSmall;
  config.respacing = std::to_string(steps);
  config.clip = false;
  return Process(config);
}

/// The run's noise, one stream per sample.
Noise noise_of(uint64_t seed, int64_t n = kSamples) {
  std::vector<int64_t> samples(static_cast<std::size_t>(n));
  std::iota(samples.begin(), samples.end(), int64_t{0});
  return Noise(seed, samples, {2, 1, 1});
}

/// Exact draws of the components y.
Tensor exact_draws(const Tensor& y, uint64_t seed) {
  return example().draw(y, at::randn({y.size(0), 2}, at::detail::createCPUGenerator(seed), at::kDouble));
}

Tensor exact_draws(uint64_t seed) {
  const Tensor weights = at::tensor({0.5, 0.3, 0.2}, at::kDouble);
  return exact_draws(at::multinomial(weights, kSamples, true, at::detail::createCPUGenerator(seed)), seed + 1);
}

/// The mean distance between sorted projections on 32 directions of the plane.
double sliced_wasserstein(const Tensor& a, const Tensor& b) {
  const Tensor angle = at::arange(32, at::kDouble) * (std::numbers::pi / 32);
  const Tensor directions = at::stack({angle.cos(), angle.sin()});
  const auto sorted = [&](const Tensor& x) {
    return std::get<0>(at::matmul(x.flatten(1).to(at::kDouble), directions).sort(0));
  };
  return (sorted(a) - sorted(b)).abs().mean().item<double>();
}

/// What two sets of exact draws are apart: no sampler can do better.
double floor_distance() { return sliced_wasserstein(exact_draws(11), exact_draws(21)); }

Tensor no_labels() { return at::zeros({kSamples}, at::kLong); }

double ddpm_distance(int64_t steps) {
  Noise noise = noise_of(1);
  const Tensor drawn =
      sample_ddpm({mixture_denoiser(example(), process_of(steps)), nullptr, no_labels(), no_labels(), noise}, {});
  return sliced_wasserstein(drawn, exact_draws(11));
}

double ddim_distance(int64_t steps) {
  Noise noise = noise_of(2);
  const Tensor drawn =
      sample_ddim({mixture_denoiser(example(), process_of(steps)), nullptr, no_labels(), no_labels(), noise}, {});
  return sliced_wasserstein(drawn, exact_draws(11));
}

TEST_F(MixtureSampling, ByDdpmRecoversTheMixtureAsStepsRise) {
  const double few = ddpm_distance(8), some = ddpm_distance(30), many = ddpm_distance(150);
  EXPECT_LT(some, 0.7 * few);
  EXPECT_LT(many, 0.7 * some);
  EXPECT_LT(many, 2 * floor_distance());
}

TEST_F(MixtureSampling, ByDdimRecoversTheMixtureAsStepsRise) {
  const double few = ddim_distance(4), some = ddim_distance(15), many = ddim_distance(100);
  EXPECT_LT(some, 0.7 * few);
  EXPECT_LT(many, 0.7 * some);
  EXPECT_LT(many, 2 * floor_distance());
}

TEST_F(MixtureSampling, ByEdmHeunRecoversTheMixture) {
  Noise noise = noise_of(3);
  SamplerConfig config;
  config.steps = 20;
  const Tensor drawn = sample_edm_heun({mixture_denoiser(example()), nullptr, no_labels(), no_labels(), noise}, config);
  EXPECT_LT(sliced_wasserstein(drawn, exact_draws(11)), 2 * floor_distance());
}

/// Plain guidance at scale 1 by the exact classifier of x_t: Bayes' rule, nothing else.
guidance::Guide bayes(const Process& process) {
  guidance::GuideConfig config;
  config.gamma_factor = 0;
  config.input = guidance::Input::kNoisy;
  return guidance::Guide(diffusion::mixture_classifier(example(), process), guidance::named_score("plain"), config);
}

TEST_F(MixtureSampling, ByDdpmWithPlainGuidanceRecoversTheConditionalComponent) {
  for (const int64_t target : {0, 1}) {
    const Tensor y = at::full({kSamples}, target, at::kLong);
    const Tensor component = exact_draws(y, 31);
    const auto distance = [&](int64_t steps) {
      Noise noise = noise_of(4);
      const Process process = process_of(steps);
      guidance::Guide guide = bayes(process);
      return sliced_wasserstein(sample_ddpm({mixture_denoiser(example(), process), &guide, y, y, noise}, {}),
                                component);
    };
    const double few = distance(10), many = distance(150);
    const double unguided = sliced_wasserstein(exact_draws(11), component);
    EXPECT_LT(few, 0.8 * unguided);
    EXPECT_LT(many, 0.2 * few);
    EXPECT_LT(many, 0.08 * unguided);
  }
}

TEST_F(MixtureSampling, ByDdimWithPlainGuidanceIsTheConditionalDenoiserSampleBySample) {
  const int64_t n = 64;
  const Tensor y = at::arange(n, at::kLong).remainder(3);
  for (const double eta : {0.0, 0.7}) {
    const Process process = process_of(25);
    guidance::Guide guide = bayes(process);
    Noise noise = noise_of(5, n);
    SamplerConfig config;
    config.eta = eta;
    const auto drawn = [&](guidance::Guide* by, bool conditional) {
      return sample_ddim({mixture_denoiser(example(), process, conditional), by, y, y, noise}, config);
    };
    const Tensor guided = drawn(&guide, false), conditional = drawn(nullptr, true), free = drawn(nullptr, false);
    EXPECT_LT((guided - conditional).abs().max().item<double>(), 1e-4);
    EXPECT_GT((free - conditional).abs().max().item<double>(), 0.5);
  }
}

}  // namespace
}  // namespace sextant::samplers
