// The mixture in the shapes that samplers and guides ask for: images [N, d, 1, 1], timesteps, noise levels.
#include <cmath>

#include "sextant/diffusion/mixture.h"
#include "sextant/runtime/error.h"
#include "timestep_levels.h"

namespace sextant::diffusion {
namespace {

Tensor points_of(const Tensor& x, const Mixture& mixture) {
  if (x.dim() != 4 || x.size(1) != mixture.dimension() || x.size(2) != 1 || x.size(3) != 1) {
    throw ShapeError(c10::str("mixture: expected images [N, ", mixture.dimension(), ", 1, 1], got ", x.sizes()));
  }
  return x.flatten(1).to(mixture.options());
}

Tensor image_of(const Tensor& points, const Tensor& like) { return points.to(like.options()).view(like.sizes()); }

Tensor denoised(const Mixture& mixture, const Tensor& x_t, double abar, const Tensor& y, bool conditional) {
  return conditional && y.defined() ? mixture.denoise(x_t, abar, y.to(x_t.device())) : mixture.denoise(x_t, abar);
}

/// x/sqrt(1 + sigma^2) is the x_t of abar = 1/(1 + sigma^2).
double abar_of(double sigma) { return 1 / (1 + sigma * sigma); }

std::vector<int64_t> image_shape(const Mixture& mixture) { return {mixture.dimension(), 1, 1}; }

}  // namespace

Denoiser mixture_denoiser(Mixture mixture, const Process& process, bool conditional) {
  const VarianceType variance = process.config().variance;
  if (variance != VarianceType::kFixedSmall && variance != VarianceType::kFixedLarge) {
    throw UsageError("mixture: has no learned variance; choose the fixed small or the fixed large one");
  }
  const std::vector<int64_t> shape = image_shape(mixture);
  const Model model = [mixture = std::move(mixture), levels = TimestepLevels(process), conditional](
                          const Tensor& x, const Tensor& t, const Tensor& y) {
    const Tensor points = points_of(x, mixture);
    const Tensor x0 = levels.each(t, x.size(0), [&](int64_t first, int64_t count, double abar) {
      const Tensor labels = conditional && y.defined() ? y.narrow(0, first, count) : Tensor();
      return denoised(mixture, points.narrow(0, first, count), abar, labels, conditional);
    });
    return image_of(x0, x);
  };
  // An exact denoiser needs no other parametrisation than x0 itself.
  return {model, process.predicting(MeanType::kStartX), shape};
}

Denoiser mixture_denoiser(Mixture mixture, bool conditional) {
  const std::vector<int64_t> shape = image_shape(mixture);
  const Model model = [mixture = std::move(mixture), conditional](const Tensor& x, const Tensor& sigma,
                                                                  const Tensor& y) {
    const double level = sigma[0].item<double>();
    if (!(sigma == sigma[0]).all().item<bool>()) {
      throw UsageError("mixture: expected one noise level for the whole batch, got several");
    }
    const double abar = abar_of(level);
    return image_of(denoised(mixture, std::sqrt(abar) * points_of(x, mixture), abar, y, conditional), x);
  };
  return {model, SigmaRange{}, shape};
}

guidance::Classifier mixture_classifier(Mixture mixture) {
  const int64_t classes = mixture.num_components();
  return {[mixture = std::move(mixture)](const Tensor& x) { return mixture.log_joint(points_of(x, mixture)); },
          classes};
}

guidance::Classifier mixture_classifier(Mixture mixture, const Process& process) {
  const int64_t classes = mixture.num_components();
  const auto logits = [mixture = std::move(mixture), levels = TimestepLevels(process)](const Tensor& x,
                                                                                       const Tensor& t) {
    const Tensor points = points_of(x, mixture);
    return levels.each(t, x.size(0), [&](int64_t first, int64_t count, double abar) {
      return mixture.noised(abar).log_joint(points.narrow(0, first, count));
    });
  };
  return {logits, classes, /*uses_time=*/true};
}

guidance::Classifier mixture_classifier(Mixture mixture, const SigmaRange&) {
  const int64_t classes = mixture.num_components();
  const auto logits = [mixture = std::move(mixture)](const Tensor& x, const Tensor& t) {
    const Tensor points = points_of(x, mixture);
    return each_run(times_of(t, x.size(0)), [&](int64_t first, int64_t count, double sigma) {
      if (!(sigma >= 0)) throw UsageError(c10::str("mixture: expected a noise level of at least 0, got ", sigma));
      const double abar = abar_of(sigma);
      // The density of x is that of sqrt(abar) x times abar^(d/2).
      return mixture.noised(abar).log_joint(std::sqrt(abar) * points.narrow(0, first, count)) +
             0.5 * static_cast<double>(mixture.dimension()) * std::log(abar);
    });
  };
  return {logits, classes, /*uses_time=*/true};
}

}  // namespace sextant::diffusion
