#include "weights/fit.h"

#include <algorithm>
#include <set>

#include "internal/runtime/text.h"

namespace sextant::models {

using Kind = networks::Parameters::Kind;

namespace {

/// "missing: fc.weight, fc.bias; "
std::string listed(const char* what, std::vector<std::string> names) {
  constexpr std::size_t kShown = 4;
  if (names.empty()) return "";
  const std::size_t more = names.size() - std::min(names.size(), kShown);
  names.resize(names.size() - more);
  return std::string(what) + ": " + joined(names, ", ") + (more > 0 ? " and " + std::to_string(more) + " more" : "") +
         "; ";
}

}  // namespace

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

std::string misfits(const networks::Network& network, const checkpoint::StateDict& published) {
  const checkpoint::StateDict weights = network.renamed(published);
  std::vector<std::string> strange, missing, other;
  std::set<std::string> known;
  for (const auto& entry : network.parameters().entries()) {
    known.insert(entry.name);
    if (weights.contains(entry.name)) {
      if (weights.at(entry.name).sizes() != at::IntArrayRef(entry.shape)) other.push_back(entry.name);
    } else if (entry.kind != Kind::kConstant && entry.kind != Kind::kCounter) {
      missing.push_back(entry.name);
    }
  }
  for (const auto& [name, tensor] : weights) {
    if (known.count(name) == 0) strange.push_back(name);
  }
  if (strange.empty() && missing.empty() && other.empty()) return "";
  const bool names = !strange.empty() && !missing.empty();
  return listed("of another shape", other) + listed("not in it", strange) + listed("missing", missing) +
         (names ? "save them under its names where they are the same layers, else " : "") +
         "write a config.json beside the file with what differs";
}

std::size_t fewest_tensors(const networks::Network& network) {
  std::size_t count = 0;
  for (const auto& entry : network.parameters().entries()) {
    count += entry.kind == Kind::kWeight || entry.kind == Kind::kNorm;
  }
  return count;
}

}  // namespace sextant::models
