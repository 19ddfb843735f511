// Compares image classifiers with the golden files of torchvision's and akamaster's networks.
#pragma once

#include <optional>

#include "networks/gradient.h"
#include "sextant/networks/network.h"
#include "support/golden.h"

namespace sextant::testing {

/// sum_i log softmax(l)[y_i], whose gradient the files call `grad`.
inline Tensor summed_log_prob(const Tensor& logits, const Tensor& y) {
  return at::log_softmax(logits, 1).gather(1, y.unsqueeze(1)).sum();
}

/// sum_i l[y_i] - logsumexp(l/2): `grad_elucd`.
inline Tensor summed_elucd_score(const Tensor& logits, const Tensor& y) {
  return (logits.gather(1, y.unsqueeze(1)).squeeze(1) - at::logsumexp(0.5 * logits, 1)).sum();
}

/// The hyper-parameters of a file as our configs write them.
inline nlohmann::json model_of(const Golden& golden) {
  nlohmann::json model = golden.config();
  if (model.value("activation", "relu") == "softplus") model["softplus_beta"] = model.at("beta");
  model.erase("activation");
  model.erase("beta");
  return model;
}

/// Numbers that training changes: all but the statistics of batch norms.
inline int64_t trained_count(const networks::Network& network) {
  int64_t count = 0;
  for (const auto& entry : network.parameters().entries()) {
    if (entry.name.find("running_") != std::string::npos || entry.kind == networks::Parameters::Kind::kCounter)
      continue;
    int64_t numbers = 1;
    for (const int64_t size : entry.shape) numbers *= size;
    count += numbers;
  }
  return count;
}

/// Every output of the file in `type`: float32 within the file's tolerance, float64 to rounding.
inline void expect_reference(const networks::ClassifierNetwork& network, const Golden& golden, at::ScalarType type) {
  const std::string prefix = type == at::kDouble ? "output64/" : "output/";
  const Tensor x = golden["input/x"].to(type).clone().requires_grad_(true);
  const Tensor y = golden["input/y"];
  const Tensor logits = network.forward(x);
  const auto gradient_of = [&](const Tensor& value) { return torch::autograd::grad({value}, {x}, {}, true)[0]; };
  const auto compare = [&](const std::string& name, const std::function<Tensor()>& actual) {
    if (!golden.has(prefix + name)) return;
    const Tensor& expected = golden[prefix + name];
    const Tolerance tolerance =
        type == at::kDouble ? Tolerance{float64_tolerance(expected), 0} : golden.output_tolerance(name);
    EXPECT_TRUE(tensor_near(actual(), expected, tolerance)) << name;
  };
  compare("logits", [&] { return logits; });
  compare("log_prob", [&] { return at::log_softmax(logits, 1).gather(1, y.unsqueeze(1)).squeeze(1); });
  compare("grad", [&] { return gradient_of(summed_log_prob(logits, y)); });
  compare("grad_elucd", [&] { return gradient_of(summed_elucd_score(logits, y)); });
}

}  // namespace sextant::testing
