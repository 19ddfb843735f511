#include "sextant/classifiers/wrappers.h"

namespace sextant::classifiers {

guidance::Classifier latent(guidance::Classifier classifier, std::function<Tensor(const Tensor& z)> decode) {
  return {[logits = classifier.logits, decode = std::move(decode)](
              const Tensor& z, const Tensor& t, const SampleIds& ids) { return logits(decode(z), t, ids); },
          classifier.classes, classifier.uses_time};
}

}  // namespace sextant::classifiers
