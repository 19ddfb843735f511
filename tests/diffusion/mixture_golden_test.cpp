// The exact mixture against autograd of its log density, one run per file of math/gmm.
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include "sextant/diffusion/mixture.h"
#include "sextant/guidance/score.h"
#include "sextant/runtime/error.h"
#include "support/golden.h"

namespace sextant::testing {
namespace {

using diffusion::Mixture;
using guidance::Score;

/// sum_j d f_j / d x_j: [N]
Tensor trace_of_jacobian(const std::function<Tensor(const Tensor&)>& f, const Tensor& x) {
  const at::AutoGradMode with_grad(true);
  Tensor trace = at::zeros({x.size(0)}, x.options());
  for (int64_t j = 0; j < x.size(1); ++j) {
    const Tensor leaf = x.detach().clone().requires_grad_(true);
    trace = trace + torch::autograd::grad({f(leaf).select(1, j).sum()}, {leaf})[0].select(1, j);
  }
  return trace;
}

class MixtureGolden : public ::testing::TestWithParam<std::filesystem::path> {
 protected:
  Golden golden{GetParam()};
  Mixture mixture{golden["input/weights"], golden["input/mu"], golden["input/cov"]};
  Tensor x = golden["input/x"];
  Tensor y = golden["input/labels"];
  Tensor f = mixture.log_joint(x);

  double number(const char* key) const { return golden.config().at(key).get<double>(); }
  guidance::Temperatures tau() const { return {number("tau1"), number("tau2")}; }
  guidance::Divergence divergence() const { return {number("alpha"), number("epsilon")}; }

  void expect(const std::string& key, const Tensor& actual) const { expect(key, actual, golden["output/" + key]); }
  void expect(const std::string& key, const Tensor& actual, const Tensor& expected) const {
    EXPECT_TRUE(tensor_near(actual, expected, golden.tolerance())) << key;
  }
  void expect_score(const std::string& key, const Score& score) const {
    expect(key + "/score", score.value);
    expect(key + "/grad_x", in_x(score.gradient, x));
  }
  /// dS/dx = sum_k dS/df_k Sigma_k^-1 (mu_k - x)
  Tensor in_x(const Tensor& df, const Tensor& at_x) const {
    return (df.unsqueeze(2) * mixture.component_scores(at_x)).sum(1);
  }
};

TEST_P(MixtureGolden, DensityPosteriorAndScoreAreExact) {
  expect("log_joint", f);
  expect("log_density", mixture.log_density(x));
  expect("posterior", mixture.posterior(x));
  expect("tempered_posterior", at::softmax(number("tau2") * f, 1));
  expect("score_x", mixture.score(x));
}

TEST_P(MixtureGolden, EveryScoreHasTheGradientOfAutogradInX) {
  const Score plain = log_prob(f, y, tau());
  const Score js = plain + jensen_shannon(f, y, divergence());
  expect_score("logp", plain);
  expect_score("entropy", plain + guidance::entropy(f, number("lambda")));
  expect_score("rkl", plain + reverse_kl(f, y, divergence()));
  expect_score("fkl", plain + forward_kl(f, y, divergence()));
  expect_score("js", js);
  expect_score("hellinger", plain + hellinger(f, y, divergence()));
  expect_score("entropy_js", js + guidance::entropy(f, number("lambda")));
}

TEST_P(MixtureGolden, PrintedProposition3CarriesTheDensityAsAFactor) {
  const Tensor gamma = (log_prob(f, y, tau()) + reverse_kl(f, y, divergence())).gradient;  // eq. (12)
  const Tensor density = (f - golden["input/weights"].log()).exp();                        // f_k(x)
  expect("paper/gamma", gamma);
  expect("paper/prop3_grad_x", in_x(density * gamma, x));
}

TEST_P(MixtureGolden, PrintedRemark2LeavesTheTargetOutOfTheUniformPart) {
  if (!golden.has("output/paper/remark2_grad_x")) GTEST_SKIP() << "for equal spherical covariances only";
  const double alpha = number("alpha"), epsilon = number("epsilon"), variance = number("sigma2");
  const auto K = static_cast<double>(mixture.num_components());
  const Tensor to_mean = golden["input/mu"].unsqueeze(0) - x.unsqueeze(1);  // mu_k - x
  const Tensor is_y = at::one_hot(y, mixture.num_components()).to(at::kDouble);
  const Tensor coefficient = (number("tau1") + alpha * epsilon) * is_y + alpha * (1 - epsilon) / K * (1 - is_y) -
                             number("tau2") * at::softmax(number("tau2") * f, 1) - alpha * at::softmax(f, 1);
  const Tensor printed = (coefficient.unsqueeze(2) * to_mean).sum(1) / variance;  // eq. (13)
  expect("paper/remark2_grad_x", printed);
  const Tensor missing = (alpha * (1 - epsilon) / K / variance * is_y.unsqueeze(2) * to_mean).sum(1);
  expect("rkl/grad_x", printed + missing);
}

TEST_P(MixtureGolden, DiffusionQuantitiesAreExactAtEveryNoiseLevel) {
  const Tensor abar = golden["input/alphas_cumprod"];
  for (int64_t t = 0; t < abar.size(0); ++t) {
    const double a = abar[t].item<double>();
    const Tensor x_t = golden["input/diffusion_x_t"][t];
    const Mixture q = mixture.noised(a);
    const Tensor x0 = mixture.denoise(x_t, a);
    const auto expect_at = [&](const std::string& key, const Tensor& actual) {
      expect("diffusion/" + key + " at " + std::to_string(t), actual, golden["output/diffusion/" + key][t]);
    };
    expect_at("log_density", q.log_density(x_t));
    expect_at("score", q.score(x_t));
    expect_at("eps", mixture.epsilon(x_t, a));
    expect_at("x0", x0);
    expect_at("posterior", q.posterior(x_t));
    expect_at("class_grad_xt", q.class_score(x_t, y));
    expect_at("denoiser_jacobian_trace",
              trace_of_jacobian([&](const Tensor& x) { return mixture.denoise(x, a); }, x_t));

    const Tensor f0 = mixture.log_joint(x0);
    const Score plain = log_prob(f0, y, tau());
    expect_at("logp_grad_x0hat", in_x(plain.gradient, x0));
    expect_at("rkl_grad_x0hat", in_x((plain + reverse_kl(f0, y, divergence())).gradient, x0));
    expect_at("js_grad_x0hat", in_x((plain + jensen_shannon(f0, y, divergence())).gradient, x0));
  }
}

TEST_P(MixtureGolden, GuideFindsTheSameGradientThroughTheClassifier) {
  guidance::ScoreConfig config;
  config.temperatures = tau();
  config.divergence = divergence();
  const guidance::Guide guide(diffusion::mixture_classifier(mixture), guidance::named_score("js", config));
  guidance::GuideInput in;
  in.x0 = x.unsqueeze(2).unsqueeze(3);
  in.y = y;
  in.num_steps = 1;
  const guidance::Guidance guidance = guide(in);
  expect("js/score", guidance.score);
  expect("js/grad_x", guidance.gradient.flatten(1));
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(MixtureGolden);
INSTANTIATE_TEST_SUITE_P(Math, MixtureGolden, ::testing::ValuesIn(golden_files("math/gmm")), golden_name);

}  // namespace
}  // namespace sextant::testing
