#include "metrics/rule_features.h"

#include <regex>

namespace sextant::testing {
namespace {

uint64_t splitmix64(uint64_t z) {
  z += 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

double uniform(uint64_t set, uint64_t i, uint64_t j) {
  return static_cast<double>(splitmix64((set << 40) + i * 4096 + j) >> 11) * 0x1p-53;
}

Tensor features(const nlohmann::json& set, int64_t d, uint64_t common_column) {
  const auto n = set.at("n").get<int64_t>();
  const auto s = set.at("s").get<uint64_t>();
  const auto shift = set.at("shift").get<double>();
  const Tensor result = at::empty({n, d}, at::kDouble);
  double* to = result.data_ptr<double>();
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < d; ++j) {
      const double own = uniform(s, i, j);
      *to++ =
          (0.2 + static_cast<double>(j % 17) / 20) * (own * own) + 0.25 * uniform(s, i, common_column + j % 8) + shift;
    }
  }
  return result;
}

}  // namespace

bool has_rule(const Golden& golden) { return golden.has("input/probe_rows1"); }

RuleFeatures rule_features(const Golden& golden) {
  const auto note = nlohmann::json::parse(golden.config().at("note").get<std::string>());
  const auto rule = note.at("rule").get<std::string>();
  const auto d = note.at("d").get<int64_t>();
  std::smatch column;
  if (!std::regex_search(rule, column, std::regex("u\\(s,i,([0-9]+) \\+ j mod 8\\)"))) {
    throw std::runtime_error("unknown rule: " + rule);
  }
  const RuleFeatures sets{features(note.at("set1"), d, std::stoull(column[1])),
                          features(note.at("set2"), d, std::stoull(column[1]))};
  const int64_t probed = golden["input/probe1"].size(1);
  EXPECT_TENSOR_NEAR(sets.first.index_select(0, golden["input/probe_rows1"]).slice(1, 0, probed),
                     golden["input/probe1"], (Tolerance{1e-15, 1e-15}));
  EXPECT_TENSOR_NEAR(sets.second.index_select(0, golden["input/probe_rows2"]).slice(1, 0, probed),
                     golden["input/probe2"], (Tolerance{1e-15, 1e-15}));
  return sets;
}

}  // namespace sextant::testing
