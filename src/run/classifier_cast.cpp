#include "run/classifier_cast.h"

#include "sextant/error.h"

namespace sextant::run {
namespace {

/// A classifier of images, given the latents of an autoencoder.
class LatentClassifier : public guidance::Classifier {
 public:
  LatentClassifier(std::shared_ptr<const guidance::Classifier> classifier, std::function<Tensor(const Tensor&)> decode)
      : classifier_(std::move(classifier)), decode_(std::move(decode)) {}
  Tensor logits(const Tensor& x, const Tensor& t) const override { return classifier_->logits(decode_(x), t); }
  int64_t num_classes() const override { return classifier_->num_classes(); }

 private:
  std::shared_ptr<const guidance::Classifier> classifier_;
  std::function<Tensor(const Tensor&)> decode_;
};

}  // namespace

std::shared_ptr<const guidance::Classifier> open_guide_classifier(const SampleConfig& config, const Cast& cast,
                                                                  models::Placement placement) {
  models::ClassifierOptions options;
  options.input = config.classifier_input;
  options.input_size = config.classifier_size;
  options.softplus_beta = config.softplus_beta;
  options.channels = cast.image_shape[0];
  auto classifier = models::open_classifier(config.classifier, config.classifier_arch, options, placement);
  const int64_t classes = classifier->num_classes();
  const bool by_label = !config.unconditional && config.denoiser_label < 0;
  if (by_label && cast.model_classes > 0 && cast.model_classes != classes) {
    throw UsageError(
        "classifier " + config.classifier + " has " + std::to_string(classes) + " classes but model " + config.model +
        " has " + std::to_string(cast.model_classes) +
        "; pass a --classifier of the model's classes ('sextant inspect FILE' shows them), or --unconditional");
  }
  if (classifier->uses_time() && config.guidance_input != "xt") {
    throw UsageError("classifier " + config.classifier +
                     " is noise-aware: it reads x_t at time t; give --guidance-input xt");
  }
  if (classifier->uses_time() && !cast.denoiser) {
    throw UsageError("classifier " + config.classifier + " knows discrete timesteps, " + config.model +
                     " draws by noise levels");
  }
  if (cast.decode) return std::make_shared<LatentClassifier>(std::move(classifier), cast.decode);
  return classifier;
}

}  // namespace sextant::run
