// Features of Inception's size that golden files give by a rule instead of by their numbers.
#pragma once

#include "support/golden.h"

namespace sextant::testing {

struct RuleFeatures {
  Tensor first;   ///< [n1, d]
  Tensor second;  ///< [n2, d]
};

bool has_rule(const Golden& golden);

/// The sets of a `*_rule_*` file, checked against its probes.
RuleFeatures rule_features(const Golden& golden);

}  // namespace sextant::testing
