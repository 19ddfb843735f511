// How a metric, named by its word, is written in tables.
#pragma once

#include <string>
#include <vector>

namespace sextant::commands {

/// What heads its column: the table of metrics says so; another word stands for itself.
std::string label_of(const std::string& metric);

/// Whether a smaller number is the better one.
bool smaller_is_better(const std::string& metric);

struct MetricStyle {
  int digits = 0;     ///< behind the point
  double factor = 1;  ///< 100 where it is read in per cent
};
/// `means` are those of the metric that stand in one column.
MetricStyle style_of(const std::string& metric, const std::vector<double>& means);

/// The value in that style.
std::string styled(const MetricStyle& style, double value);

}  // namespace sextant::commands
