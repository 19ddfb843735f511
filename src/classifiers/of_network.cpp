#include "internal/networks/scaled_gradient.h"
#include "sextant/classifiers/wrappers.h"

namespace sextant::classifiers {

guidance::Classifier of_network(std::shared_ptr<const networks::ClassifierNetwork> network) {
  const int64_t classes = network->num_classes();
  const bool uses_time = network->uses_time();
  return {[network = std::move(network), uses_time](const Tensor& x, const Tensor& t) {
            return networks::differentiable(
                *network, x, [&](const Tensor& seen) { return network->forward(seen, uses_time ? t : Tensor()); });
          },
          classes, uses_time};
}

}  // namespace sextant::classifiers
