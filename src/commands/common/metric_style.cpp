#include "common/metric_style.h"

#include <algorithm>

#include "internal/evaluation/metric_rows.h"
#include "internal/report/table.h"

namespace sextant::commands {

using evaluation::Metric;
using evaluation::MetricRow;

namespace {

/// Null for what is not in the table.
const MetricRow* find_row(const std::string& metric) {
  const std::vector<MetricRow>& rows = evaluation::metric_rows();
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const MetricRow& row) { return row.word == metric; });
  return found == rows.end() ? nullptr : &*found;
}

}  // namespace

std::string label_of(const std::string& metric) {
  const MetricRow* const row = find_row(metric);
  return row != nullptr ? row->heading : metric;
}

bool smaller_is_better(const std::string& metric) {
  const MetricRow* const row = find_row(metric);
  return row != nullptr && row->smaller_is_better;
}

MetricStyle style_of(const std::string& metric, const std::vector<double>& means) {
  const MetricRow* const row = find_row(metric);
  if (row == nullptr) return {3, 1};
  switch (row->metric) {
    case Metric::kAccuracy:
      return {1, 100};
    case Metric::kKid:
      return {6, 1};
    case Metric::kFid:
    case Metric::kSfid:
    case Metric::kFidInfinity:
      // They have no scale of their own: of Inception's features they are tens, of points in the plane hundredths.
      return {report::digits_for(means, 2), 1};
    case Metric::kInceptionScore:
      return {2, 1};
    default:
      return {3, 1};
  }
}

std::string styled(const MetricStyle& style, double value) { return report::fixed(style.factor * value, style.digits); }

}  // namespace sextant::commands
