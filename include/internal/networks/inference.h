// Calls of a network by samplers and guides, who draw with it and do not train it.
#pragma once

#include <functional>
#include <memory>

#include "sextant/networks/network.h"

namespace sextant::networks {

/// y = f(x, t, labels), a function of `network`; t and labels may be undefined where f takes none.
///
/// Differentiable in x: in float16 by scaled_gradient(). On a GPU where recorder_of() has a recorder the call is
/// recorded and repeated; then f reads nothing that changes but the network's weights. Copies share what they hold;
/// callable from any thread.
class Inference {
 public:
  using Function = std::function<Tensor(const Tensor& x, const Tensor& t, const Tensor& labels)>;

  Inference(std::shared_ptr<const Network> network, Function f);

  Tensor operator()(const Tensor& x, const Tensor& t = {}, const Tensor& labels = {}) const;

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace sextant::networks
