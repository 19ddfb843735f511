#include "sweep/lines.h"

#include <cmath>
#include <cstdio>
#include <limits>

#include "common/metric_style.h"
#include "internal/runtime/text.h"

namespace sextant::commands {

using nlohmann::json;

namespace {

/// "95" or "99.99".
std::string percent_of(double level) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", 100 * level);
  return text;
}

std::string signed_number(const MetricStyle& style, double value) {
  const std::string text = styled(style, value);
  return text[0] == '-' ? text : "+" + text;
}

std::string value_cell(const MetricStyle& style, const MetricLine& line) {
  std::string cell = styled(style, line.mean);
  if (line.spread) cell += " ± " + styled(style, *line.spread);
  return cell;
}

std::string difference_cell(const MetricStyle& style, const ResultLine& line, const MetricLine& metric) {
  if (line.baseline) return "0";
  if (!metric.difference) return "";
  const ledger::Score& difference = *metric.difference;
  std::string cell = signed_number(style, difference.value);
  if (difference.low) {
    cell += " [" + signed_number(style, *difference.low) + ", " + signed_number(style, *difference.high) + "]";
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

/// The metric's mean in every line that has it.
std::vector<double> means_of(const std::vector<ResultLine>& lines, const std::string& metric) {
  std::vector<double> means;
  for (const ResultLine& line : lines) {
    if (const MetricLine* one = find(line, metric)) means.push_back(one->mean);
  }
  return means;
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

report::Forest differences_drawing(const std::vector<ResultLine>& lines,
                                   const std::function<std::string(const std::string&)>& label, double level) {
  const auto baseline = std::find_if(lines.begin(), lines.end(), [](const ResultLine& line) { return line.baseline; });
  report::Forest forest;
  forest.title = "Differences to " + (baseline == lines.end() ? "the baseline" : baseline->row) + " with their " +
                 percent_of(level) + " % intervals";
  std::vector<const ResultLine*> shown;
  for (const ResultLine& line : lines) {
    const bool compared = std::any_of(line.metrics.begin(), line.metrics.end(), [](const MetricLine& metric) {
      return metric.difference && metric.difference->low;
    });
    if (!compared) continue;
    shown.push_back(&line);
    forest.rows.push_back(line.column.empty() ? line.row : line.row + ", " + line.column);
  }
  for (const std::string& metric : metrics_of(lines)) {
    const double factor = style_of(metric, {}).factor;
    report::ForestPanel panel{label(metric), smaller_is_better(metric), {}};
    bool any = false;
    for (const ResultLine* line : shown) {
      const MetricLine* one = find(*line, metric);
      const bool compared = one && one->difference && one->difference->low;
      any = any || compared;
      panel.rows.push_back(
          compared ? std::optional(report::ForestEntry{factor * one->difference->value, factor * *one->difference->low,
                                                       factor * *one->difference->high})
                   : std::nullopt);
    }
    if (any) forest.panels.push_back(std::move(panel));
  }
  return forest;
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

report::Table results_csv(const json& results) {
  std::vector<std::string> header = {"row", "column", "seeds", "images"}, metrics;
  json rows = json::array();
  for (const json& line : results) {
    json row = line;
    row["seeds"] = line.at("seeds").size();
    const json given = line.value("metrics", json::object());
    for (const auto& [metric, numbers] : given.items()) {
      const std::string word = replaced(metric, "-", "_");
      if (std::find(metrics.begin(), metrics.end(), word) == metrics.end()) metrics.push_back(word);
      for (const char* part : {"mean", "spread", "low", "high", "paper"}) {
        row[word + "_" + part] = numbers.value(part, json());
      }
      const json difference = numbers.value("difference", json::object());
      row[word + "_difference"] = difference.value("value", json());
      for (const char* part : {"low", "high"}) row[word + "_difference_" + part] = difference.value(part, json());
    }
    rows.push_back(std::move(row));
  }
  for (const std::string& word : metrics) {
    for (const char* part :
         {"_mean", "_spread", "_low", "_high", "_paper", "_difference", "_difference_low", "_difference_high"}) {
      header.push_back(word + part);
    }
  }
  for (const char* last : {"seconds_per_image", "gradient_norm", "baseline", "failed"}) header.emplace_back(last);
  return plain_table(header, rows);
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
    MetricStyle style;
    bool paper, difference, interval;
  };
  std::vector<Column> shown;
  const std::string percent = percent_of(level) + " %";
  for (const std::string& metric : metrics_of(lines)) {
    const auto has = [&](auto&& part) {
      return any([&](const ResultLine& line) {
        const MetricLine* one = find(line, metric);
        return one && part(*one);
      });
    };
    shown.push_back({metric, style_of(metric, means_of(lines, metric)),
                     has([](const MetricLine& one) { return one.paper.has_value(); }),
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
      row.push_back(one ? value_cell(column.style, *one) : "");
      if (column.interval) {
        row.push_back(one && one->low ? styled(column.style, *one->low) + " to " + styled(column.style, *one->high)
                                      : "");
      }
      if (column.paper) row.push_back(one && one->paper ? styled(column.style, *one->paper) : "");
      if (column.difference) row.push_back(one ? difference_cell(column.style, line, *one) : "");
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
