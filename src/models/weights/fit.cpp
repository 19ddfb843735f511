#include "weights/fit.h"

namespace sextant::models {

using Kind = networks::Parameters::Kind;

Fit fit(const networks::Network& network, const checkpoint::StateDict& published) {
  const checkpoint::StateDict weights = network.renamed(published);
  Fit result;
  int64_t optional_missing = 0;
  int64_t statistics_missing = 0;
  int64_t missing = 0;
  const auto& entries = network.parameters().entries();
  for (const auto& entry : entries) {
    if (!weights.contains(entry.name)) {
      const bool optional = entry.kind == Kind::kConstant || entry.kind == Kind::kCounter;
      ++(optional ? optional_missing : entry.kind == Kind::kStatistic ? statistics_missing : missing);
    } else if (weights.at(entry.name).sizes() == at::IntArrayRef(entry.shape)) {
      ++result.right;
    }
  }
  const auto declared = static_cast<int64_t>(entries.size());
  const bool fits = missing == 0 && result.right == declared - optional_missing - statistics_missing &&
                    result.right == static_cast<int64_t>(weights.size());
  result.exact = fits && statistics_missing == 0;
  result.lacks_statistics = fits && statistics_missing > 0;
  return result;
}

std::size_t fewest_tensors(const networks::Network& network) {
  std::size_t count = 0;
  for (const auto& entry : network.parameters().entries()) {
    count += entry.kind == Kind::kWeight || entry.kind == Kind::kNorm;
  }
  return count;
}

}  // namespace sextant::models
