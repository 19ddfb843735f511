#include "sample/meter.h"

#include "sextant/diffusion/sigma.h"
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

class MeteredClassifier : public guidance::Classifier {
 public:
  MeteredClassifier(std::shared_ptr<const guidance::Classifier> classifier, std::shared_ptr<Meter> meter)
      : classifier_(std::move(classifier)), meter_(std::move(meter)) {}
  int64_t num_classes() const override { return classifier_->num_classes(); }
  bool uses_time() const override { return classifier_->uses_time(); }
  Tensor logits(const Tensor& x, const Tensor& t) const override {
    const double start = moment(x);
    // The backward pass lasts from the gradient of the logits to that of the input.
    Tensor input = x;
    const auto backward_start = std::make_shared<double>(0);
    if (at::GradMode::is_enabled() && x.requires_grad()) {
      input = x.view_as(x);
      input.register_hook([meter = meter_, backward_start](const Tensor& gradient) {
        meter->classifier_seconds += moment(gradient) - *backward_start;
      });
    }
    const Tensor f = classifier_->logits(input, t);
    if (f.requires_grad()) {
      f.register_hook([backward_start](const Tensor& gradient) { *backward_start = moment(gradient); });
    }
    meter_->classifier_seconds += moment(x) - start;
    return f;
  }

 private:
  std::shared_ptr<const guidance::Classifier> classifier_;
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

std::shared_ptr<const guidance::Classifier> metered(std::shared_ptr<const guidance::Classifier> classifier,
                                                    std::shared_ptr<Meter> meter) {
  return std::make_shared<MeteredClassifier>(std::move(classifier), std::move(meter));
}

void synchronize(at::Device device) {
  if (device.is_cuda()) at::detail::getCUDAHooks().deviceSynchronize(device.index() < 0 ? 0 : device.index());
}

}  // namespace sextant::commands
