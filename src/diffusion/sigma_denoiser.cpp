#include "sextant/diffusion/sigma.h"
#include "sextant/guidance/classifier_free.h"

namespace sextant::diffusion {

ModelSigmaDenoiser::ModelSigmaDenoiser(SigmaModel model, std::vector<int64_t> sample_shape, double sigma_min,
                                       double sigma_max, std::function<double(double)> round_sigma)
    : model_(std::move(model)),
      shape_(std::move(sample_shape)),
      sigma_min_(sigma_min),
      sigma_max_(sigma_max),
      round_(std::move(round_sigma)) {}

Tensor ModelSigmaDenoiser::denoise(const Tensor& x, double sigma, const Tensor& y) const {
  return model_(x, at::full({x.size(0)}, sigma, x.options()), y).to(x.scalar_type());
}

SigmaModel autoguided_denoiser(SigmaModel good, SigmaModel bad, double scale) {
  if (scale == 1) return good;
  return [=, good = std::move(good), bad = std::move(bad)](const Tensor& x, const Tensor& sigma, const Tensor& y) {
    return guidance::classifier_free(good(x, sigma, y), bad(x, sigma, y), scale);
  };
}

}  // namespace sextant::diffusion
