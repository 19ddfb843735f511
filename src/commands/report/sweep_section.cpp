#include "report/sweep_section.h"

#include <algorithm>
#include <cmath>

#include "common/metric_style.h"
#include "internal/commands/sweep.h"
#include "internal/report/table.h"
#include "internal/runtime/options.h"
#include "report/html.h"

namespace sextant::commands {

using nlohmann::json;

namespace {

std::string with_sign(const MetricStyle& style, double value) {
  const std::string text = styled(style, value);
  return text[0] == '-' ? "−" + text.substr(1) : "+" + text;
}

/// Where a difference lies from zero: a dot and its interval, all rows on one scale of -reach to reach, at whose ends
/// those stand that are larger.
std::string forest(const json& difference, double reach, bool smaller_is_better) {
  constexpr double kWidth = 150, kReach = 68;  // a dot at the end is whole
  const double value = difference.at("value");
  const double low = difference.value("low", value);
  const double high = difference.value("high", value);
  const auto x = [&](double at) { return report::fixed(kWidth / 2 + kReach * std::clamp(at / reach, -1.0, 1.0), 1); };
  const bool sure = difference.contains("low") && low * high > 0;
  const bool good = (value < 0) == smaller_is_better;
  return std::string(
             "<svg class=\"forest\" viewBox=\"0 0 150 18\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><g "
             "class=\"") +
         (sure ? good ? "sure good" : "sure bad" : "") +
         "\"><line class=\"zero\" x1=\"75\" x2=\"75\" y1=\"0\" y2=\"18\"/>" + "<line class=\"bar\" x1=\"" + x(low) +
         "\" x2=\"" + x(high) + "\" y1=\"9\" y2=\"9\"/><circle class=\"dot\" cx=\"" + x(value) +
         "\" cy=\"9\" r=\"3.5\"/></g></svg>";
}

std::string head(const std::string& text, bool words = false) {
  return std::string("<th scope=\"col\"") + (words ? " class=\"text\"" : "") + "><button type=\"button\">" +
         escaped(text) + "</button></th>";
}

std::string cell(const std::string& value, const std::string& shown, const std::string& classes = "") {
  return "<td" + (classes.empty() ? "" : " class=\"" + classes + "\"") + " data-value=\"" + escaped(value) + "\">" +
         shown + "</td>";
}

struct Column {
  std::string metric;
  bool paper = false;
  bool difference = false;
  std::vector<double> means{};
  std::vector<double> sizes{};  ///< of the differences with their intervals

  MetricStyle style() const { return style_of(metric, means); }

  /// A few large ones, as against no guidance at all, do not squeeze the others.
  double reach() const {
    if (sizes.empty()) return 0;
    std::vector<double> sorted = sizes;
    std::sort(sorted.begin(), sorted.end());
    return std::min(sorted.back(), 3 * sorted[sorted.size() / 2]);
  }
};

std::vector<Column> columns_of(const json& results) {
  std::vector<Column> columns;
  for (const json& line : results) {
    const json metrics = line.value("metrics", json::object());
    for (const auto& [metric, numbers] : metrics.items()) {
      auto at = std::find_if(columns.begin(), columns.end(),
                             [&, &name = metric](const Column& column) { return column.metric == name; });
      if (at == columns.end()) at = columns.insert(columns.end(), Column{metric});
      at->means.push_back(numbers.at("mean"));
      at->paper = at->paper || numbers.contains("paper");
      if (!numbers.contains("difference")) continue;
      at->difference = true;
      const json& difference = numbers.at("difference");
      double size = 0;
      for (const char* part : {"value", "low", "high"}) {
        if (difference.contains(part)) size = std::max(size, std::abs(difference[part].get<double>()));
      }
      at->sizes.push_back(size);
    }
  }
  return columns;
}

std::string metric_cells(const Column& column, const json& line) {
  const MetricStyle style = column.style();
  const json metrics = line.value("metrics", json::object());
  const bool there = metrics.contains(column.metric);
  const json numbers = there ? metrics[column.metric] : json::object();
  std::string html;
  if (there) {
    const double mean = numbers.at("mean");
    std::string shown = styled(style, mean);
    if (numbers.contains("spread")) shown += " <small>± " + styled(style, numbers.at("spread")) + "</small>";
    if (!numbers.contains("spread") && numbers.contains("low")) {
      shown += " <small>" + styled(style, numbers.at("low")) + "–" + styled(style, numbers.at("high")) + "</small>";
    }
    html += cell(shortest(mean), shown, numbers.value("best", false) ? "best" : "");
  } else {
    html += cell("", "");
  }
  if (column.paper) {
    html += numbers.contains("paper")
                ? cell(shortest(numbers.at("paper").get<double>()), styled(style, numbers.at("paper")))
                : cell("", "");
  }
  if (!column.difference) return html;
  if (!numbers.contains("difference")) return html + (line.value("baseline", false) ? cell("0", "0") : cell("", ""));
  const json& difference = numbers.at("difference");
  std::string shown = with_sign(style, difference.at("value"));
  if (difference.contains("low")) {
    shown += " <small>[" + with_sign(style, difference.at("low")) + ", " + with_sign(style, difference.at("high")) +
             "]</small>";
  }
  if (column.reach() > 0) shown += " " + forest(difference, column.reach(), smaller_is_better(column.metric));
  return html + cell(shortest(difference.at("value").get<double>()), shown);
}

}  // namespace

std::string results_html(const json& record) {
  const json results = record.value("results", json::array());
  const std::vector<Column> columns = columns_of(results);
  const bool models = std::any_of(results.begin(), results.end(),
                                  [](const json& line) { return !line.value("column", std::string()).empty(); });
  std::string html = "<div class=\"card scroll\"><table><thead><tr>" + head("method", true);
  if (models) html += head("model", true);
  for (const Column& column : columns) {
    html += head(label_of(column.metric));
    if (column.paper) html += head("paper");
    if (column.difference) html += head("difference");
  }
  html += head("seeds") + head("images") + head("s/image") + "</tr></thead>\n<tbody>\n";
  for (const json& line : results) {
    const std::string row = line.value("row", std::string());
    html += line.value("baseline", false) ? "<tr class=\"baseline\">" : "<tr>";
    html += cell(row, escaped(row), "text");
    if (models) html += cell(line.value("column", std::string()), escaped(line.value("column", std::string())), "text");
    for (const Column& column : columns) html += metric_cells(column, line);
    const std::string seeds = std::to_string(std::max<std::size_t>(1, line.value("seeds", json::array()).size()));
    const std::string images = std::to_string(line.value("images", int64_t{0}));
    const double seconds = line.value("seconds_per_image", 0.0);
    html += cell(seeds, seeds) + cell(images, images) + cell(shortest(seconds), report::fixed(seconds, 4)) + "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

}  // namespace sextant::commands
