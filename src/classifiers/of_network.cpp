#include "internal/networks/inference.h"
#include "sextant/classifiers/wrappers.h"
#include "sextant/runtime/error.h"

namespace sextant::classifiers {

guidance::Classifier of_network(std::shared_ptr<const networks::ClassifierNetwork> network) {
  if (!network) throw UsageError("classifier: expected a network, got none");
  const int64_t classes = network->num_classes();
  const bool uses_time = network->uses_time();
  const networks::Inference forward(network, [&network = *network](const Tensor& x, const Tensor& t, const Tensor&) {
    return network.forward(x, t);
  });
  return {[forward, uses_time](const Tensor& x, const Tensor& t) { return forward(x, uses_time ? t : Tensor()); },
          classes, uses_time};
}

}  // namespace sextant::classifiers
