#include <c10/util/StringUtil.h>

#include <cmath>
#include <numbers>

#include "sextant/diffusion/denoiser.h"
#include "sextant/runtime/error.h"

namespace sextant::diffusion {
namespace {

Tensor mean_per_image(const Tensor& x) { return x.flatten(1).mean(1); }

/// KL(N(mean1, e^log_variance1) || N(mean2, e^log_variance2)) in nats
Tensor gaussian_kl(const Tensor& mean1, const Tensor& log_variance1, const Tensor& mean2, const Tensor& log_variance2) {
  return 0.5 * (-1.0 + log_variance2 - log_variance1 + (log_variance1 - log_variance2).exp() +
                (mean1 - mean2).square() * (-log_variance2).exp());
}

/// The normal distribution function by the tanh approximation that the published models were trained with.
Tensor normal_cdf(const Tensor& x) {
  return 0.5 * (1.0 + at::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x.pow(3))));
}

/// log P(pixel's level) when levels are the 256 bins of width 2/255 around -1 ... 1, the outer two reaching to
/// infinity.
Tensor discretized_log_likelihood(const Tensor& x, const Tensor& mean, const Tensor& log_deviation) {
  constexpr double kHalfBin = 1.0 / 255;
  constexpr double kFloor = 1e-12;  // keeps the logarithm finite far in the tails
  const Tensor centred = x - mean;
  const Tensor precision = (-log_deviation).exp();
  const Tensor below_upper = normal_cdf(precision * (centred + kHalfBin));
  const Tensor below_lower = normal_cdf(precision * (centred - kHalfBin));
  const Tensor inside = (below_upper - below_lower).clamp_min(kFloor).log();
  const Tensor darkest = below_upper.clamp_min(kFloor).log();
  const Tensor brightest = (1.0 - below_lower).clamp_min(kFloor).log();
  return at::where(x < -0.999, darkest, at::where(x > 0.999, brightest, inside));
}

/// The variational bound's term at each image's step, in bits per dimension.
Tensor bound_term(const Process& process, const Tensor& output, const Tensor& x0, const Tensor& x_t,
                  const Tensor& steps) {
  const Prediction p = process.p_mean_variance(output, x_t, steps, /*clip=*/false);
  const Tensor true_mean = process.posterior_mean(x0, x_t, steps);
  const Tensor true_log_variance = process.posterior_log_variance(steps, x0);
  const Tensor kl = mean_per_image(gaussian_kl(true_mean, true_log_variance, p.mean, p.log_variance));
  const Tensor nll = mean_per_image(-discretized_log_likelihood(x0, p.mean, 0.5 * p.log_variance));
  return at::where(steps.to(x0.device()) == 0, nll, kl) / std::numbers::ln2;
}

Tensor regression_target(const Process& process, const Tensor& x0, const Tensor& x_t, const Tensor& steps,
                         const Tensor& noise) {
  switch (process.config().mean) {
    case MeanType::kStartX:
      return x0;
    case MeanType::kPreviousX:
      return process.posterior_mean(x0, x_t, steps);
    case MeanType::kVelocity:
      return process.velocity(x0, steps, noise);
    case MeanType::kEpsilon:
      break;
  }
  return noise;
}

}  // namespace

LossTerms training_loss(const Process& process, const Model& model, const Tensor& x0, const Tensor& steps,
                        const Tensor& y, const Tensor& noise, Loss loss) {
  const Tensor x_t = process.q_sample(x0, steps, noise);
  const Tensor output = model(x_t, process.model_time(steps, x_t), y);
  const auto T = static_cast<double>(process.num_steps());

  LossTerms terms;
  if (loss == Loss::kKl || loss == Loss::kRescaledKl) {
    terms.loss = bound_term(process, output, x0, x_t, steps) * (loss == Loss::kRescaledKl ? T : 1.0);
    return terms;
  }
  const int64_t channels = x0.size(1);
  if (output.dim() != x0.dim() || output.size(1) < channels || output.narrow(1, 0, channels).sizes() != x0.sizes()) {
    throw ShapeError(
        c10::str("training_loss: expected a network output for images ", x0.sizes(), ", got ", output.sizes()));
  }
  const Tensor predicted = output.narrow(1, 0, channels);
  terms.mse = mean_per_image((regression_target(process, x0, x_t, steps, noise) - predicted).square());
  terms.loss = terms.mse;
  if (output.size(1) > channels) {
    const Tensor variance = output.narrow(1, channels, output.size(1) - channels);
    const Tensor frozen = at::cat({predicted.detach(), variance}, 1);
    terms.vb = bound_term(process, frozen, x0, x_t, steps) * (loss == Loss::kRescaledMse ? T / 1000 : 1.0);
    terms.loss = terms.mse + terms.vb;
  }
  return terms;
}

EdmLossTerms edm_loss(const Model& model, const Tensor& x0, const Tensor& y, const Tensor& noise, const Tensor& n,
                      const EdmLoss& loss) {
  if (x0.dim() != 4 || noise.sizes() != x0.sizes() || n.dim() != 1 || n.size(0) != x0.size(0)) {
    throw ShapeError(c10::str("edm_loss: expected x0 [N, C, H, W], noise like it and n [N], got ", x0.sizes(), ", ",
                              noise.sizes(), " and ", n.sizes()));
  }
  if (!(loss.sigma_data > 0)) throw UsageError("edm_loss: sigma_data must be above 0");
  EdmLossTerms terms;
  terms.sigma = (loss.p_mean + loss.p_std * n).exp();
  terms.weight = (terms.sigma.square() + loss.sigma_data * loss.sigma_data) / (terms.sigma * loss.sigma_data).square();
  const auto per_image = [](const Tensor& values) { return values.view({-1, 1, 1, 1}); };
  const Tensor denoised = model(x0 + per_image(terms.sigma) * noise, terms.sigma, y);
  if (denoised.sizes() != x0.sizes()) {
    throw ShapeError(c10::str("edm_loss: expected the model to answer images ", x0.sizes(), " with their like, got ",
                              denoised.sizes()));
  }
  terms.loss = per_image(terms.weight) * (denoised - x0).square();
  return terms;
}

}  // namespace sextant::diffusion
