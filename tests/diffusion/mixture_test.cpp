#include "sextant/diffusion/mixture.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include "sextant/runtime/error.h"
#include "support/golden.h"

namespace sextant::diffusion {
namespace {

/// Three components in two dimensions, of unequal weight, spread and direction.
Mixture example(at::ScalarType dtype = at::kDouble) {
  const auto options = at::TensorOptions(dtype);
  return Mixture(at::tensor({0.5, 0.3, 0.2}, options),
                 at::tensor({-1.0, 0.0, 1.5, 0.5, 0.0, -2.0}, options).view({3, 2}),
                 at::tensor({0.3, 0.1, 0.1, 0.2, 0.1, 0.0, 0.0, 0.4, 0.5, -0.2, -0.2, 0.3}, options).view({3, 2, 2}));
}

Tensor normal(uint64_t seed, at::IntArrayRef shape) {
  return at::randn(shape, at::detail::createCPUGenerator(seed), at::kDouble);
}

double largest_difference(const Tensor& a, const Tensor& b) { return (a - b).abs().max().item<double>(); }

Tensor gradient_of(const std::function<Tensor(const Tensor&)>& value, const Tensor& x) {
  const at::AutoGradMode with_grad(true);
  const Tensor leaf = x.detach().clone().requires_grad_(true);
  return torch::autograd::grad({value(leaf).sum()}, {leaf})[0];
}

Process process_of(const std::string& respacing, bool clip = false, bool rescale = false) {
  ProcessConfig config;
  config.variance = VarianceType::kFixedSmall;
  config.respacing = respacing;
  config.clip = clip;
  config.rescale_timesteps = rescale;
  return Process(config);
}

TEST(Mixture, ScoresAreTheGradientsOfTheLogDensities) {
  const Mixture mixture = example();
  const Tensor x = 2 * normal(1, {7, 2});
  const Tensor y = at::tensor({0, 1, 2, 0, 1, 2, 0}, at::kLong);
  EXPECT_LT(largest_difference(mixture.score(x), gradient_of([&](auto& p) { return mixture.log_density(p); }, x)),
            1e-12);
  const auto log_posterior = [&](const Tensor& p) {
    return at::log_softmax(mixture.log_joint(p), 1).gather(1, y.unsqueeze(1));
  };
  EXPECT_LT(largest_difference(mixture.class_score(x, y), gradient_of(log_posterior, x)), 1e-12);
}

TEST(Mixture, DenoisedPointIsTweediesFormula) {
  const Mixture mixture = example();
  const Tensor x = normal(2, {7, 2});
  for (const double a : {0.999, 0.5, 0.01}) {
    const Tensor tweedie = (x + (1 - a) * mixture.noised(a).score(x)) / std::sqrt(a);
    EXPECT_LT(largest_difference(mixture.denoise(x, a), tweedie), 1e-12) << a;
  }
}

TEST(Mixture, DenoisesToThePointWithoutNoiseAndToTheMeanWithoutSignal) {
  const Mixture mixture = example();
  const Tensor x = normal(3, {7, 2});
  EXPECT_LT(largest_difference(mixture.denoise(x, 1), x), 1e-13);
  const Tensor mean = at::tensor({-0.05, -0.25}, at::kDouble);
  EXPECT_LT(largest_difference(mixture.denoise(x, 0), mean.expand({7, 2})), 1e-13);
}

TEST(Mixture, DenoisesGivenAComponentAsThatGaussianAlone) {
  const Mixture mixture = example();
  const Tensor x = normal(5, {4, 2});
  const Tensor y = at::tensor({0, 1, 2, 3}, at::kLong);  // 3: no component
  const Tensor x0 = mixture.denoise(x, 0.6, y);
  const Mixture second(at::ones({1}, at::kDouble), at::tensor({1.5, 0.5}, at::kDouble).view({1, 2}),
                       at::tensor({0.1, 0.0, 0.0, 0.4}, at::kDouble).view({1, 2, 2}));
  EXPECT_LT(largest_difference(x0[1], second.denoise(x, 0.6)[1]), 1e-13);
  EXPECT_LT(largest_difference(x0[3], mixture.denoise(x, 0.6)[3]), 1e-13);
  EXPECT_THROW(mixture.denoise(x, 0.6, y + 1), ShapeError);
}

TEST(Mixture, IsFiniteFarFromAllComponents) {
  for (const auto dtype : {at::kFloat, at::kDouble}) {
    const Mixture mixture = example(dtype);
    for (const double far : {1e2, 1e4, 1e8}) {
      const Tensor x = at::tensor({far, -far, 0.0, far}, at::TensorOptions(dtype)).view({2, 2});
      const Tensor y = at::tensor({0, 2}, at::kLong);
      for (const double a : {1.0, 0.5, 1e-5, 0.0}) {
        const Mixture q = mixture.noised(a);
        for (const Tensor& result : {q.log_joint(x), q.log_density(x), q.posterior(x), q.score(x), q.class_score(x, y),
                                     mixture.denoise(x, a), mixture.denoise(x, a, y), mixture.epsilon(x, a)}) {
          EXPECT_TRUE(result.isfinite().all().item<bool>()) << far << " " << a << " " << dtype;
          EXPECT_EQ(result.scalar_type(), dtype);
        }
        EXPECT_LT((q.posterior(x).sum(1) - 1).abs().max().item<double>(), 1e-6);
      }
    }
  }
}

TEST(Mixture, DrawsHaveTheMomentsOfTheirComponents) {
  const Mixture mixture = example();
  const Tensor draws = mixture.draw(at::full({20000}, 2, at::kLong), normal(6, {20000, 2}));
  EXPECT_LT(largest_difference(draws.mean(0), at::tensor({0.0, -2.0}, at::kDouble)), 0.02);
  const Tensor centred = draws - draws.mean(0);
  const Tensor expected = at::tensor({0.5, -0.2, -0.2, 0.3}, at::kDouble).view({2, 2});
  EXPECT_LT(largest_difference(at::matmul(centred.t(), centred) / 20000, expected), 0.02);
}

TEST(Mixture, RefusesParametersThatMakeNoMixture) {
  const Tensor b = at::full({2}, 0.5, at::kDouble), mu = at::zeros({2, 3}, at::kDouble);
  const Tensor cov = at::eye(3, at::kDouble).repeat({2, 1, 1});
  EXPECT_NO_THROW(Mixture(b, mu, cov));
  EXPECT_THROW(Mixture(b, mu, cov[0]), ShapeError);
  EXPECT_THROW(Mixture(b, mu.to(at::kFloat), cov), ShapeError);
  EXPECT_THROW(Mixture(2 * b, mu, cov), UsageError);
  EXPECT_THROW(Mixture(at::tensor({1.0, 0.0}, at::kDouble), mu, cov), UsageError);
  EXPECT_THROW(Mixture(b, mu, -cov), UsageError);
  EXPECT_THROW(Mixture(b, mu, cov.triu() + at::ones({3, 3}, at::kDouble).triu(1)), UsageError);
  EXPECT_THROW(Mixture(b, mu / 0, cov), UsageError);
  EXPECT_THROW(Mixture(b, mu, cov).log_joint(at::zeros({4, 2}, at::kDouble)), ShapeError);
  EXPECT_THROW(Mixture(b, mu, cov).log_joint(at::zeros({4, 3}, at::kFloat)), ShapeError);
  EXPECT_THROW(Mixture(b, mu, cov).noised(1.5), UsageError);
}

TEST(MixtureDenoiser, PredictsTheExactX0InTheImagesDtype) {
  const Process process = process_of("50");
  const Denoiser denoiser = mixture_denoiser(example(), process);
  for (const auto dtype : {at::kDouble, at::kFloat}) {
    const Tensor x = normal(7, {5, 2, 1, 1}).to(dtype);
    const Prediction p = denoiser.predict(x, 30, {});
    const Tensor expected = example().denoise(x.flatten(1).to(at::kDouble), process.abar(30));
    EXPECT_EQ(p.x0.scalar_type(), dtype);
    EXPECT_LT(largest_difference(p.x0.flatten(1), expected), dtype == at::kDouble ? 1e-14 : 1e-6);
    EXPECT_LT(largest_difference(p.mean, process.posterior_mean(p.x0, x, 30)), 1e-14);
  }
}

TEST(MixtureDenoiser, ObeysLabelsOnlyWhenConditional) {
  const Tensor x = normal(8, {5, 2, 1, 1});
  const Tensor y = at::tensor({0, 1, 2, 3, 0}, at::kLong);
  const Process process = process_of("50");
  const Tensor free = mixture_denoiser(example(), process).predict(x, 40, y).x0;
  const Tensor given = mixture_denoiser(example(), process, /*conditional=*/true).predict(x, 40, y).x0;
  EXPECT_GT(largest_difference(free.narrow(0, 0, 3), given.narrow(0, 0, 3)), 0.1);
  EXPECT_LT(largest_difference(free[3], given[3]), 1e-14);
}

TEST(MixtureDenoiser, RefusesALearnedVarianceAndImagesOfAnotherShape) {
  EXPECT_THROW(mixture_denoiser(example(), Process(ProcessConfig{})), UsageError);
  EXPECT_THROW(mixture_denoiser(example(), process_of("50")).predict(at::zeros({5, 3, 1, 1}), 3, {}), ShapeError);
}

TEST(MixtureDenoiser, OfNoiseLevelsAgreesWithTheDiscreteProcess) {
  const double sigma = 1.7, abar = 1 / (1 + sigma * sigma);
  const Tensor x = 2 * normal(9, {5, 2, 1, 1});
  const Tensor expected = example().denoise(std::sqrt(abar) * x.flatten(1), abar);
  EXPECT_LT(largest_difference(mixture_denoiser(example()).denoise(x, sigma, {}).flatten(1), expected), 1e-13);
}

TEST(MixtureClassifier, OfCleanImagesGivesTheLogJoint) {
  const Tensor x = normal(10, {5, 2, 1, 1});
  const guidance::Classifier classifier = mixture_classifier(example());
  EXPECT_FALSE(classifier.uses_time);
  EXPECT_EQ(classifier.classes, 3);
  EXPECT_TRUE(at::equal(classifier.logits(x, {}), example().log_joint(x.flatten(1))));
}

TEST(MixtureClassifier, OfNoisyImagesKnowsEachImagesTimestep) {
  const Tensor x = normal(11, {4, 2, 1, 1});
  for (const bool rescale : {false, true}) {
    const Process process = process_of("20", false, rescale);
    const guidance::Classifier classifier = mixture_classifier(example(), process);
    EXPECT_TRUE(classifier.uses_time);
    const Tensor steps = at::tensor({3, 3, 19, 0}, at::kLong);
    const Tensor logits = classifier.logits(x, process.model_time(steps, x));
    for (int64_t n = 0; n < 4; ++n) {
      const double abar = process.abar(steps[n].item<int64_t>());
      EXPECT_LT(largest_difference(logits[n], example().noised(abar).log_joint(x.flatten(1))[n]), 1e-12);
    }
    EXPECT_THROW(classifier.logits(x, at::full({4}, 7.5)), UsageError);
    EXPECT_THROW(classifier.logits(x, at::zeros({3})), ShapeError);
  }
}

TEST(MixtureClassifier, OfNoiseLevelsIsTheMixtureOfWiderComponents) {
  // x0 + sigma n of components N(mu, Sigma) is one of N(mu, Sigma + sigma^2 I).
  const Tensor x = normal(12, {3, 2, 1, 1}) * 3;
  const Tensor weights = at::tensor({0.3, 0.7}, at::kDouble), means = normal(13, {2, 2});
  const Tensor covariances = at::stack({at::eye(2, at::kDouble), 0.2 * at::eye(2, at::kDouble)});
  const guidance::Classifier classifier = mixture_classifier({weights, means, covariances}, SigmaRange{});
  EXPECT_TRUE(classifier.uses_time);
  const Tensor logits = classifier.logits(x, at::tensor({2.0, 0.0, 2.0}, at::kDouble));
  for (const auto& [n, sigma] : {std::pair{0, 2.0}, std::pair{1, 0.0}, std::pair{2, 2.0}}) {
    const Mixture wider(weights, means, covariances + sigma * sigma * at::eye(2, at::kDouble));
    EXPECT_LT(largest_difference(logits[n], wider.log_joint(x.flatten(1))[n]), 1e-12);
  }
  EXPECT_THROW(classifier.logits(x, at::full({3}, -1.0)), UsageError);
  EXPECT_THROW(classifier.logits(x, {}), ShapeError);
}

}  // namespace
}  // namespace sextant::diffusion
