#include "sweep/lines.h"

#include <cmath>
#include <limits>

namespace sextant::commands {

using nlohmann::json;

namespace {

int digits_of(const std::string& metric) {
  if (metric == "accuracy") return 1;
  if (metric == "kid") return 6;
  return metric == "precision" || metric == "recall" || metric == "density" || metric == "coverage" || metric == "ece"
             ? 3
             : 2;
}

/// Accuracies are read in per cent.
double factor_of(const std::string& metric) { return metric == "accuracy" ? 100 : 1; }

std::string number(const std::string& metric, double value) {
  return report::fixed(factor_of(metric) * value, digits_of(metric));
}

std::string signed_number(const std::string& metric, double value) {
  const std::string text = number(metric, value);
  return text[0] == '-' ? text : "+" + text;
}

std::string value_cell(const MetricLine& line) {
  std::string cell = number(line.metric, line.mean);
  if (line.spread) cell += " ± " + number(line.metric, *line.spread);
  return cell;
}

std::string difference_cell(const ResultLine& line, const MetricLine& metric) {
  if (line.baseline) return "0";
  if (!metric.difference) return "";
  const ledger::Score& difference = *metric.difference;
  std::string cell = signed_number(metric.metric, difference.value);
  if (difference.low) {
    cell += " [" + signed_number(metric.metric, *difference.low) + ", " +
            signed_number(metric.metric, *difference.high) + "]";
  }
  return cell;
}

const MetricLine* find(const ResultLine& line, const std::string& metric) {
  for (const MetricLine& one : line.metrics) {
    if (one.metric == metric) return &one;
  }
  return nullptr;
}

/// The metrics of all lines, in the order in which they first appear.
std::vector<std::string> metrics_of(const std::vector<ResultLine>& lines) {
  std::vector<std::string> metrics;
  for (const ResultLine& line : lines) {
    for (const MetricLine& one : line.metrics) {
      if (std::find(metrics.begin(), metrics.end(), one.metric) == metrics.end()) metrics.push_back(one.metric);
    }
  }
  return metrics;
}

json score_json(const ledger::Score& score) {
  json object = {{"value", score.value}};
  if (score.deviation) object["deviation"] = *score.deviation;
  if (score.low) object["low"] = *score.low;
  if (score.high) object["high"] = *score.high;
  return object;
}

}  // namespace

std::vector<MetricLine> metric_lines(const std::vector<std::vector<ledger::Score>>& seeds, const json& paper) {
  std::vector<MetricLine> lines;
  if (seeds.empty()) return lines;
  const auto printed = [&](const std::string& metric) -> std::optional<double> {
    if (!paper.is_object() || !paper.contains(metric)) return std::nullopt;
    return paper[metric].get<double>();
  };
  for (const ledger::Score& first : seeds[0]) {
    MetricLine line{first.metric, {}, 0, {}, {}, {}, printed(first.metric), {}, false};
    for (const auto& scores : seeds) {
      for (const ledger::Score& score : scores) {
        if (score.metric == first.metric) line.seeds.push_back(score.value);
      }
    }
    const auto n = static_cast<double>(line.seeds.size());
    for (const double value : line.seeds) line.mean += value / n;
    if (line.seeds.size() > 1) {
      double squares = 0;
      for (const double value : line.seeds) squares += (value - line.mean) * (value - line.mean);
      line.spread = std::sqrt(squares / (n - 1));
    } else {
      line.low = first.low;
      line.high = first.high;
    }
    lines.push_back(line);
  }
  return lines;
}

void mark_best(std::vector<ResultLine>& lines) {
  for (const std::string& metric : metrics_of(lines)) {
    const double sign = smaller_is_better(metric) ? 1 : -1;
    double best = std::numeric_limits<double>::infinity();
    int64_t values = 0;
    for (const ResultLine& line : lines) {
      const MetricLine* one = find(line, metric);
      if (!one) continue;
      ++values;
      best = std::min(best, sign * one->mean);
    }
    for (ResultLine& line : lines) {
      for (MetricLine& one : line.metrics) {
        if (one.metric == metric) one.best = values > 1 && sign * one.mean == best;
      }
    }
  }
}

json results_json(const std::vector<ResultLine>& lines) {
  json results = json::array();
  for (const ResultLine& line : lines) {
    json result = {{"row", line.row},
                   {"column", line.column},
                   {"seeds", line.seeds},
                   {"runs", line.runs},
                   {"images", line.images},
                   {"seconds_per_image", line.seconds_per_image},
                   {"gradient_norm", line.gradient_norm},
                   {"baseline", line.baseline}};
    for (const MetricLine& metric : line.metrics) {
      json one = {{"mean", metric.mean}, {"seeds", metric.seeds}, {"best", metric.best}};
      if (metric.spread) one["spread"] = *metric.spread;
      if (metric.low) one["low"] = *metric.low;
      if (metric.high) one["high"] = *metric.high;
      if (metric.paper) one["paper"] = *metric.paper;
      if (metric.difference) one["difference"] = score_json(*metric.difference);
      result["metrics"][metric.metric] = one;
      if (metric.metric == "accuracy") result["accuracy"] = metric.mean;
      if (metric.metric == "fid") result["frechet_distance"] = metric.mean;
    }
    results.push_back(result);
  }
  return results;
}

report::Table results_table(const std::vector<ResultLine>& lines,
                            const std::function<std::string(const std::string&)>& label, double level) {
  const auto any = [&](auto&& holds) { return std::any_of(lines.begin(), lines.end(), holds); };
  const bool columns = any([](const ResultLine& line) { return !line.column.empty(); });
  const bool several = any([](const ResultLine& line) { return line.seeds.size() > 1; });
  report::Table table;
  table.header = {"method"};
  if (columns) table.header.emplace_back("model");
  struct Column {
    std::string metric;
    bool paper, difference, interval;
  };
  std::vector<Column> shown;
  const std::string percent = report::fixed(100 * level, 0) + " %";
  for (const std::string& metric : metrics_of(lines)) {
    const auto has = [&](auto&& part) {
      return any([&](const ResultLine& line) {
        const MetricLine* one = find(line, metric);
        return one && part(*one);
      });
    };
    shown.push_back({metric, has([](const MetricLine& one) { return one.paper.has_value(); }),
                     has([](const MetricLine& one) { return one.difference.has_value(); }),
                     has([](const MetricLine& one) { return one.low.has_value(); })});
    table.header.push_back(label(metric));
    if (shown.back().interval) table.header.push_back(percent);
    if (shown.back().paper) table.header.emplace_back("paper");
    if (shown.back().difference) table.header.push_back("difference [" + percent + "]");
  }
  if (several) table.header.emplace_back("seeds");
  table.header.insert(table.header.end(), {"images", "s/image", "gradient norm"});
  for (const ResultLine& line : lines) {
    std::vector<std::string> row = {line.row};
    if (columns) row.push_back(line.column);
    for (const Column& column : shown) {
      const MetricLine* one = find(line, column.metric);
      if (one && one->best) table.best.emplace_back(table.rows.size(), row.size());
      row.push_back(one ? value_cell(*one) : "");
      if (column.interval) {
        row.push_back(one && one->low ? number(column.metric, *one->low) + " to " + number(column.metric, *one->high)
                                      : "");
      }
      if (column.paper) row.push_back(one && one->paper ? number(column.metric, *one->paper) : "");
      if (column.difference) row.push_back(one ? difference_cell(line, *one) : "");
    }
    if (several) row.push_back(std::to_string(line.seeds.size()));
    row.push_back(std::to_string(line.images));
    row.push_back(report::fixed(line.seconds_per_image, 4));
    row.push_back(report::fixed(line.gradient_norm, 4));
    table.rows.push_back(std::move(row));
  }
  return table;
}

}  // namespace sextant::commands
