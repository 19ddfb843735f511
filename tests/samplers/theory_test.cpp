// What theory says about samplers, on mixtures where everything is known.
#include <gtest/gtest.h>

#include "samplers/golden_run.h"
#include "samplers/toy.h"
#include "sextant/diffusion/mixture.h"
#include "sextant/guidance/score.h"

namespace sextant::testing {
namespace {

using diffusion::Mixture;
using guidance::Guide;
using guidance::GuideConfig;

// ---- relations between samplers -----------------------------------------------------------------------------------

class ToyRun {
 public:
  ToyRun() {
    for (int64_t n = 0; n < 16; ++n) samples_.push_back(n);
  }
  Tensor operator()(samplers::Sampler* sampler, const samplers::SamplerConfig& config,
                    const samplers::StepObserver& observe = {}) const {
    DoubleNoise noise(3, samples_, {1, 1, 1});
    return sampler({denoiser_, nullptr, {}, {}, noise, observe}, config);
  }

 private:
  const diffusion::Denoiser denoiser_ = toy_denoiser(uniform_process(24, 3, -3));
  std::vector<int64_t> samples_;
};

samplers::SamplerConfig of_order(int64_t order) {
  samplers::SamplerConfig config;
  config.order = order;
  return config;
}

samplers::SamplerConfig with_eta(double eta) {
  samplers::SamplerConfig config;
  config.eta = eta;
  return config;
}

TEST(DpmSolver, OfOrderOneIsDdim) {
  const ToyRun run;
  const Tensor dpm = run(samplers::sample_dpm_solver, of_order(1));
  EXPECT_TENSOR_NEAR(dpm, run(samplers::sample_ddim, with_eta(0)), (Tolerance{1e-12, 0}));
}

TEST(DpmSolver, OfOrderOneWithNoiseIsDdpm) {
  const ToyRun run;
  const Tensor sde = run(samplers::sample_dpm_solver_sde, of_order(1));
  EXPECT_TENSOR_NEAR(sde, run(samplers::sample_ddim, with_eta(1)), (Tolerance{1e-12, 0}));
  EXPECT_TENSOR_NEAR(sde, run(samplers::sample_ddpm, {}), (Tolerance{1e-12, 0}));
}

TEST(UniPc, OfOrderOneStartsAsDdim) {
  const ToyRun run;
  Recording unipc, ddim;
  run(samplers::sample_unipc, of_order(1), unipc.observer());
  run(samplers::sample_ddim, with_eta(0), ddim.observer());
  EXPECT_TENSOR_NEAR(unipc.x[0], ddim.x[0], (Tolerance{1e-12, 0}));
}

// ---- the distribution of the samples ------------------------------------------------------------------------------

struct Moments {
  double mean, variance, in_first;
};

Moments moments(const Tensor& x) {
  return {x.mean().item<double>(), x.var().item<double>(), (x < -0.5).to(at::kDouble).mean().item<double>()};
}

/// The moments of the mixture itself; -0.5 lies in the gap between its components.
Moments exact_moments() {
  double mean = 0, square = 0;
  for (const Component& c : kComponents) {
    mean += c.weight * c.mean;
    square += c.weight * (c.mean * c.mean + c.variance);
  }
  return {mean, square - mean * mean, toy_cdf(-0.5, 1, 0)};
}

struct Drawer {
  std::string name;
  std::function<Tensor(Noise&)> draw;
};

Drawer discrete(const std::string& name, samplers::Sampler* sampler, double eta) {
  return {name, [=](Noise& noise) {
            return sampler({toy_denoiser(uniform_process(200, 4, -4)), nullptr, {}, {}, noise}, with_eta(eta));
          }};
}

Drawer on_levels(const std::string& name, double churn) {
  return {name, [=](Noise& noise) {
            samplers::SamplerConfig config;
            config.steps = 100;
            config.edm.churn = churn;
            return samplers::sample_edm_heun({toy_sigma_denoiser(), nullptr, {}, {}, noise}, config);
          }};
}

const std::vector<Drawer> kDrawers = {
    discrete("ddpm", samplers::sample_ddpm, 0),
    discrete("ddim_eta_half", samplers::sample_ddim, 0.5),
    discrete("ddim", samplers::sample_ddim, 0),
    discrete("dpmpp_2m", samplers::sample_dpm_solver, 0),
    discrete("dpmpp_2m_sde", samplers::sample_dpm_solver_sde, 0),
    discrete("unipc", samplers::sample_unipc, 0),
    on_levels("edm", 0),
    on_levels("edm_churn", 20),
};

class Distribution : public ::testing::TestWithParam<Drawer> {};
INSTANTIATE_TEST_SUITE_P(All, Distribution, ::testing::ValuesIn(kDrawers),
                         [](const auto& info) { return info.param.name; });

TEST_P(Distribution, OfTheSamplesIsTheMixture) {
  constexpr int64_t kCount = 10000;
  std::vector<int64_t> samples(kCount);
  for (int64_t n = 0; n < kCount; ++n) samples[static_cast<std::size_t>(n)] = n;
  DoubleNoise noise(11, samples, {1, 1, 1});
  const Moments drawn = moments(GetParam().draw(noise));
  const Moments exact = exact_moments();
  // Four standard errors, and what is left of the steps' own error.
  EXPECT_NEAR(drawn.mean, exact.mean, 4 * std::sqrt(exact.variance / kCount) + 0.01);
  EXPECT_NEAR(drawn.variance, exact.variance, 0.03 * exact.variance);
  EXPECT_NEAR(drawn.in_first, exact.in_first, 4 * std::sqrt(0.25 / kCount));
}

// ---- guidance by the exact classifier -----------------------------------------------------------------------------

Mixture plane_mixture() {
  const Tensor weights = at::tensor({0.2, 0.3, 0.5}, at::kDouble);
  const Tensor means = at::tensor({-1.0, 0.5, 0.4, 1.0, 0.9, -0.8}, at::kDouble).view({3, 2});
  const Tensor covariances =
      at::tensor({0.10, 0.02, 0.02, 0.20, 0.15, -0.05, -0.05, 0.10, 0.08, 0.0, 0.0, 0.30}, at::kDouble).view({3, 2, 2});
  return {weights, means, covariances};
}

const Tensor kTargets = at::tensor({0, 1, 2, 2, 1, 0}, at::kLong);

const guidance::ScoreFunction kPlain = guidance::named_score("plain");

GuideConfig exact_guidance() {
  GuideConfig config;
  config.input = guidance::Input::kNoisy;
  config.gamma_factor = 0;
  return config;
}

/// The samplers of the table that shift the score: all over timesteps but DDPM.
std::vector<samplers::SamplerRow> shifting() {
  std::vector<samplers::SamplerRow> rows;
  for (const samplers::SamplerRow& row : samplers::table()) {
    if (row.needs == diffusion::Counts::kTimesteps && row.sampler != samplers::sample_ddpm) rows.push_back(row);
  }
  return rows;
}

class ScoreShift : public ::testing::TestWithParam<samplers::SamplerRow> {};
INSTANTIATE_TEST_SUITE_P(All, ScoreShift, ::testing::ValuesIn(shifting()), [](const auto& info) {
  std::string name = info.param.word;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST_P(ScoreShift, ByTheExactNoisyClassifierSamplesTheConditionalDistribution) {
  // Bayes: grad log q(x_t|y) = grad log q(x_t) + grad log p(y|x_t)
  diffusion::ProcessConfig config;
  config.respacing = "20";
  config.variance = diffusion::VarianceType::kFixedSmall;
  config.clip = false;
  const diffusion::Process process(config);
  const diffusion::Denoiser unconditional = diffusion::mixture_denoiser(plane_mixture(), process);
  const diffusion::Denoiser conditional = diffusion::mixture_denoiser(plane_mixture(), process, true);
  Guide guide(diffusion::mixture_classifier(plane_mixture(), process), kPlain, exact_guidance());
  DoubleNoise noise(5, {0, 1, 2, 3, 4, 5}, {2, 1, 1});
  samplers::Sampler* const sample = GetParam().sampler;
  const Tensor guided = sample({unconditional, &guide, kTargets, kTargets, noise}, with_eta(0.5));
  const Tensor exact = sample({conditional, nullptr, kTargets, kTargets, noise}, with_eta(0.5));
  EXPECT_TENSOR_NEAR(guided, exact, (Tolerance{1e-8, 1e-8}));
}

/// p(y | x_0 + sigma n = x); t is sigma.
guidance::Classifier sigma_classifier() {
  return {[mixture = plane_mixture()](const Tensor& x, const Tensor& t) {
            const double sigma = t[0].item<double>();
            const double abar = 1 / (1 + sigma * sigma);
            return mixture.noised(abar).log_joint(std::sqrt(abar) * x.flatten(1));
          },
          3, /*uses_time=*/true};
}

TEST(EdmGuidance, OfTheScoreByTheExactNoisyClassifierSamplesTheConditionalDistribution) {
  Guide guide(sigma_classifier(), kPlain, exact_guidance());
  DoubleNoise noise(5, {0, 1, 2, 3, 4, 5}, {2, 1, 1});
  samplers::SamplerConfig config;
  config.steps = 18;
  config.edm.churn = 5;
  const diffusion::Denoiser unconditional = diffusion::mixture_denoiser(plane_mixture());
  const diffusion::Denoiser conditional = diffusion::mixture_denoiser(plane_mixture(), true);
  const Tensor guided = samplers::sample_edm_heun({unconditional, &guide, kTargets, kTargets, noise}, config);
  const Tensor exact = samplers::sample_edm_heun({conditional, nullptr, kTargets, kTargets, noise}, config);
  EXPECT_TENSOR_NEAR(guided, exact, (Tolerance{1e-7, 1e-7}));
}

TEST(Autoguidance, FromTheUnconditionalDenoiserIsGuidanceByItsClassifier) {
  // sigma^2 s grad log p(y|x) = s (D(x; y) - D(x)): classifier guidance of scale s on D is autoguidance of scale s.
  constexpr double kScale = 1.7;
  GuideConfig settings = exact_guidance();
  settings.scale = kScale;
  Guide guide(sigma_classifier(), kPlain, settings);
  const diffusion::Denoiser unconditional = diffusion::mixture_denoiser(plane_mixture());
  const diffusion::Denoiser conditional = diffusion::mixture_denoiser(plane_mixture(), true);
  const diffusion::Denoiser autoguided =
      conditional.with(diffusion::autoguidance(conditional.model(), unconditional.model(), kScale, 2));
  DoubleNoise noise(5, {0, 1, 2, 3, 4, 5}, {2, 1, 1});
  samplers::SamplerConfig config;
  config.steps = 18;
  const Tensor by_classifier = samplers::sample_edm_heun({unconditional, &guide, kTargets, kTargets, noise}, config);
  const Tensor by_itself = samplers::sample_edm_heun({autoguided, nullptr, kTargets, kTargets, noise}, config);
  EXPECT_TENSOR_NEAR(by_classifier, by_itself, (Tolerance{1e-7, 1e-7}));
}

TEST(EdmGuidance, AsEluCDLeavesImagesWhereTheClassifierIsFlat) {
  Guide guide({[](const Tensor& x) { return 0 * x.flatten(1); }, 2}, kPlain);
  DoubleNoise noise(5, {0, 1}, {2, 1, 1});
  samplers::SamplerConfig config;
  config.steps = 18;
  config.edm.guidance = samplers::EdmGuidance::kElucd;
  const Tensor y = at::zeros({2}, at::kLong);
  const diffusion::Denoiser denoiser = diffusion::mixture_denoiser(plane_mixture());
  EXPECT_TRUE(samplers::sample_edm_heun({denoiser, &guide, y, y, noise}, config)
                  .equal(samplers::sample_edm_heun({denoiser, nullptr, y, y, noise}, config)));
}

TEST(ThroughDenoiser, TheGradientIsThatOfTheScoreOfThePredictedX0) {
  diffusion::ProcessConfig process_config;
  process_config.respacing = "5";
  process_config.variance = diffusion::VarianceType::kFixedSmall;
  process_config.clip = false;
  const diffusion::Denoiser denoiser = diffusion::mixture_denoiser(plane_mixture(), diffusion::Process(process_config));
  const guidance::Classifier classifier = diffusion::mixture_classifier(plane_mixture());
  GuideConfig config;
  config.input = guidance::Input::kThroughDenoiser;
  Guide guide(diffusion::mixture_classifier(plane_mixture()), kPlain, config);
  DoubleNoise noise(5, {0, 1, 2, 3, 4, 5}, {2, 1, 1});
  Recording r;
  samplers::sample_ddim({denoiser, &guide, kTargets, kTargets, noise, r.observer()}, {});

  const auto score = [&](const Tensor& x) {
    const Tensor x0 = denoiser.predict(x, 4, kTargets).x0;
    return guidance::log_prob(classifier.logits(x0, {}), kTargets, {}).value;
  };
  const Tensor x = noise.initial();
  constexpr double kStep = 1e-5;
  for (int64_t d = 0; d < 2; ++d) {
    Tensor shift = at::zeros_like(x);
    shift.select(1, d).fill_(kStep);
    const Tensor slope = (score(x + shift) - score(x - shift)) / (2 * kStep);
    EXPECT_TENSOR_NEAR(r.guidance[0].gradient.select(1, d).flatten(), slope, (Tolerance{1e-8, 1e-5}));
  }
}

}  // namespace
}  // namespace sextant::testing
