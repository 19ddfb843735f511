// The terms that a score's name stands for.
#pragma once

#include <string>
#include <vector>

namespace sextant::guidance {

enum class Term { kEntropy, kReverseKl, kForwardKl, kJensenShannon, kHellinger };

/// The regularisers of "plain", "js", "js+entropy", ...; plain adds none. UsageError for an unknown or repeated name.
std::vector<Term> parse_score(const std::string& name);

}  // namespace sextant::guidance
