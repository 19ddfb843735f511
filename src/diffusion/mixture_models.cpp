// The mixture in the shapes that samplers and guides ask for: images [N, d, 1, 1], steps, noise levels, timesteps.
#include <algorithm>
#include <cmath>

#include "sextant/diffusion/mixture.h"
#include "sextant/runtime/error.h"

namespace sextant::diffusion {
namespace {

/// How far a float32 timestep may be from the process's own; the finest rescaled ones are further apart.
constexpr double kTimeTolerance = 1e-3;

Tensor points_of(const Tensor& x, const Mixture& mixture) {
  if (x.dim() != 4 || x.size(1) != mixture.dimension() || x.size(2) != 1 || x.size(3) != 1) {
    throw ShapeError(c10::str("mixture: expected images [N, ", mixture.dimension(), ", 1, 1], got ", x.sizes()));
  }
  return x.flatten(1).to(mixture.options());
}

Tensor image_of(const Tensor& points, const Tensor& like) { return points.to(like.options()).view(like.sizes()); }

/// The process with x0 for the network's output: an exact denoiser needs no other parametrisation.
Process predicting_x0(const Process& process) {
  ProcessConfig config = process.config();
  if (config.variance != VarianceType::kFixedSmall && config.variance != VarianceType::kFixedLarge) {
    throw UsageError("mixture: has no learned variance; choose the fixed small or the fixed large one");
  }
  config.mean = MeanType::kStartX;
  return Process(process.betas, process.timestep_map, config);
}

/// The mixture of x_t at each timestep of a process.
class NoisyMixture {
 public:
  NoisyMixture(Mixture mixture, const Process& process) : mixture_(std::move(mixture)) {
    const Tensor like = at::empty({1, 1, 1, 1}, at::kDouble);
    for (int64_t step = 0; step < process.num_steps(); ++step) {
      times_.push_back(process.model_time(step, like).item<double>());
      alphas_cumprod_.push_back(process.alphas_cumprod[static_cast<std::size_t>(step)]);
    }
  }

  Tensor log_joint(const Tensor& x, const Tensor& t) const {
    const Tensor points = points_of(x, mixture_);
    if (t.dim() != 1 || t.size(0) != x.size(0)) {
      throw ShapeError(c10::str("mixture: expected a timestep for each image, [", x.size(0), "], got ", t.sizes()));
    }
    const std::vector<double> alphas = alphas_cumprod(t);
    // Samplers give the whole batch one timestep; consecutive images that share theirs go together.
    std::vector<Tensor> logits;
    for (std::size_t first = 0; first < alphas.size();) {
      std::size_t last = first + 1;
      while (last < alphas.size() && alphas[last] == alphas[first]) ++last;
      const Tensor group = points.narrow(0, static_cast<int64_t>(first), static_cast<int64_t>(last - first));
      logits.push_back(mixture_.noised(alphas[first]).log_joint(group));
      first = last;
    }
    return at::cat(logits);
  }

 private:
  std::vector<double> alphas_cumprod(const Tensor& t) const {
    const Tensor host = t.to(at::kCPU, at::kDouble).contiguous();
    std::vector<double> alphas;
    for (int64_t n = 0; n < host.numel(); ++n) {
      const double time = host.data_ptr<double>()[n];
      const auto near = std::lower_bound(times_.begin(), times_.end(), time - kTimeTolerance);
      if (near == times_.end() || *near > time + kTimeTolerance) {
        throw UsageError(c10::str("mixture: t = ", time, " is not a timestep of the classifier's process"));
      }
      alphas.push_back(alphas_cumprod_[static_cast<std::size_t>(near - times_.begin())]);
    }
    return alphas;
  }

  Mixture mixture_;
  std::vector<double> times_;           ///< as networks receive them, ascending
  std::vector<double> alphas_cumprod_;  ///< of each
};

}  // namespace

MixtureDenoiser::MixtureDenoiser(Mixture mixture, const Process& process, bool conditional)
    : mixture_(std::move(mixture)), process_(predicting_x0(process)), conditional_(conditional) {}

Prediction MixtureDenoiser::predict(const Tensor& x, int64_t step, const Tensor& y) const {
  const double abar = process_.alphas_cumprod.at(static_cast<std::size_t>(step));
  const Tensor points = points_of(x, mixture_);
  const Tensor x0 = conditional_ ? mixture_.denoise(points, abar, y) : mixture_.denoise(points, abar);
  return process_.p_mean_variance(image_of(x0, x), x, step);
}

Tensor MixtureSigmaDenoiser::denoise(const Tensor& x, double sigma, const Tensor& y) const {
  // x/sqrt(1 + sigma^2) is the x_t of abar = 1/(1 + sigma^2).
  const double abar = 1 / (1 + sigma * sigma);
  const Tensor x_t = std::sqrt(abar) * points_of(x, mixture_);
  return image_of(conditional_ ? mixture_.denoise(x_t, abar, y) : mixture_.denoise(x_t, abar), x);
}

guidance::Classifier mixture_classifier(Mixture mixture) {
  const int64_t classes = mixture.num_components();
  return {[mixture = std::move(mixture)](const Tensor& x) { return mixture.log_joint(points_of(x, mixture)); },
          classes};
}

guidance::Classifier mixture_classifier(Mixture mixture, const Process& process) {
  const int64_t classes = mixture.num_components();
  const NoisyMixture noisy(std::move(mixture), process);
  return {[noisy](const Tensor& x, const Tensor& t) { return noisy.log_joint(x, t); }, classes, /*uses_time=*/true};
}

}  // namespace sextant::diffusion
