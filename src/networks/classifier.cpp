#include <c10/util/StringUtil.h>

#include "logits.h"
#include "sextant/runtime/error.h"

namespace sextant::networks {

Tensor ClassifierNetwork::trace(const Tensor& x, const LayerSeen&) const { return forward(x); }

Tensor ClassifierNetwork::features(const Tensor& x, const std::string& layer) const {
  const std::vector<std::string> layers = feature_layers();
  if (std::find(layers.begin(), layers.end(), layer) == layers.end()) {
    std::string known;
    for (const std::string& name : layers) known += (known.empty() ? "" : ", ") + name;
    throw UsageError("layer '" + layer + "' is no layer of the feature network" +
                     (known.empty() ? ", which shows none" : "; it has " + known));
  }
  Tensor found;
  trace(x, [&](const std::string& name, const Tensor& output) {
    if (name == layer) found = output.dim() == 4 ? output.mean({2, 3}) : output;
  });
  return as_logits(found);
}

}  // namespace sextant::networks
