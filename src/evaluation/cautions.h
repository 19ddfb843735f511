// What makes a metric of few images mean little: a line each, "" where there is enough.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sextant::evaluation {

/// Covariances of fewer images than dimensions are singular. `reference` 0: not known.
std::string caution_of_distance(const std::string& metric, int64_t samples, int64_t reference, int64_t dimensions);

/// A score of n images cannot exceed n, so parts need more images than there are classes.
std::string caution_of_inception(const std::vector<int64_t>& parts, int64_t classes);

/// Neighbours lie farther apart in small sets, and metrics of neighbours compare sets of these sizes alone.
std::string caution_of_neighbours(const std::string& metrics, int64_t samples, int64_t reference, int64_t neighbours);

}  // namespace sextant::evaluation
