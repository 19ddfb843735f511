#include "sample/meter.h"

#include "sextant/runtime/device.h"
#include "sextant/runtime/progress.h"

namespace sextant::commands {
namespace {

/// Now, with the work on `like`'s device done.
double moment(const Tensor& like) {
  synchronize(like.device());
  return steady_seconds();
}

class MeteredDenoiser : public diffusion::Denoiser {
 public:
  MeteredDenoiser(std::shared_ptr<const diffusion::Denoiser> denoiser, std::shared_ptr<Meter> meter)
      : denoiser_(std::move(denoiser)), meter_(std::move(meter)) {}
  std::vector<int64_t> sample_shape() const override { return denoiser_->sample_shape(); }
  const diffusion::Process& process() const override { return denoiser_->process(); }
  diffusion::Prediction predict(const Tensor& x, int64_t step, const Tensor& y) const override {
    const double start = moment(x);
    diffusion::Prediction prediction = denoiser_->predict(x, step, y);
    meter_->denoiser_seconds += moment(x) - start;
    return prediction;
  }

 private:
  std::shared_ptr<const diffusion::Denoiser> denoiser_;
  std::shared_ptr<Meter> meter_;
};

class MeteredSigmaDenoiser : public diffusion::SigmaDenoiser {
 public:
  MeteredSigmaDenoiser(std::shared_ptr<const diffusion::SigmaDenoiser> denoiser, std::shared_ptr<Meter> meter)
      : denoiser_(std::move(denoiser)), meter_(std::move(meter)) {}
  std::vector<int64_t> sample_shape() const override { return denoiser_->sample_shape(); }
  Tensor denoise(const Tensor& x, double sigma, const Tensor& y) const override {
    const double start = moment(x);
    Tensor denoised = denoiser_->denoise(x, sigma, y);
    meter_->denoiser_seconds += moment(x) - start;
    return denoised;
  }
  double sigma_min() const override { return denoiser_->sigma_min(); }
  double sigma_max() const override { return denoiser_->sigma_max(); }
  double round_sigma(double sigma) const override { return denoiser_->round_sigma(sigma); }

 private:
  std::shared_ptr<const diffusion::SigmaDenoiser> denoiser_;
  std::shared_ptr<Meter> meter_;
};

}  // namespace

std::shared_ptr<const diffusion::Denoiser> metered(std::shared_ptr<const diffusion::Denoiser> denoiser,
                                                   std::shared_ptr<Meter> meter) {
  return std::make_shared<MeteredDenoiser>(std::move(denoiser), std::move(meter));
}

std::shared_ptr<const diffusion::SigmaDenoiser> metered(std::shared_ptr<const diffusion::SigmaDenoiser> denoiser,
                                                        std::shared_ptr<Meter> meter) {
  return std::make_shared<MeteredSigmaDenoiser>(std::move(denoiser), std::move(meter));
}

}  // namespace sextant::commands
