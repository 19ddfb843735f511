#include "calibrate/report.h"

#include <cmath>
#include <limits>

#include "internal/report/table.h"
#include "internal/runtime/json_file.h"
#include "internal/runtime/text.h"
#include "sextant/report/drawing.h"

namespace sextant::commands {

using calibration::measure_fields;
using calibration::MeasureField;
using calibration::Measures;
using nlohmann::json;

namespace {

/// Shown where there is little room.
bool is_main(const MeasureField& field) {
  return field.value != &Measures::ece_mass && field.value != &Measures::classwise &&
         field.value != &Measures::smooth_ece;
}

std::string cell(const MeasureField& column, const Measures& measures) {
  return report::fixed(column.factor * (measures.*column.value), column.digits);
}

/// One measure a line, a column a variant: easier to read than a wide table where there are few variants.
report::Table upright(const std::vector<CalibrateRow>& rows) {
  report::Table table;
  table.header = {"clean images"};
  for (const CalibrateRow& row : rows) table.header.push_back(row.variant.empty() ? "value" : row.variant);
  for (const MeasureField& column : measure_fields()) {
    table.rows.push_back({column.name});
    for (const CalibrateRow& row : rows) table.rows.back().push_back(cell(column, row.measures));
  }
  table.rows.push_back({"images"});
  for (const CalibrateRow& row : rows) table.rows.back().push_back(std::to_string(row.measures.count));
  return table;
}

std::string level_of(const CalibrateRow& row, bool mean) {
  return mean ? "mean" : row.level ? shortest(*row.level) : "";
}

/// A line for each row, `means` last, with all measures or the main ones.
report::Table wide(const std::vector<CalibrateRow>& rows, const std::vector<CalibrateRow>& means, bool all) {
  const bool variants = std::any_of(rows.begin(), rows.end(), [](const auto& row) { return !row.variant.empty(); });
  report::Table table;
  if (variants) table.header.push_back("classifier");
  table.header.insert(table.header.end(), {"input", "level"});
  std::vector<MeasureField> shown;
  for (const MeasureField& column : measure_fields()) {
    if (!all && !is_main(column)) continue;
    shown.push_back(column);
    table.header.push_back(column.name);
  }
  const auto add = [&](const CalibrateRow& row, bool mean) {
    table.rows.emplace_back();
    std::vector<std::string>& cells = table.rows.back();
    if (variants) cells.push_back(row.variant);
    cells.insert(cells.end(), {word_of(row.input), level_of(row, mean)});
    for (const MeasureField& column : shown) cells.push_back(cell(column, row.measures));
  };
  for (const CalibrateRow& row : rows) add(row, false);
  for (const CalibrateRow& row : means) add(row, true);
  return table;
}

std::vector<CalibrateRow> rows_of(const CalibrateResult& result, bool clean) {
  std::vector<CalibrateRow> some;
  for (const CalibrateRow& row : result.rows) {
    if ((row.input == Shown::kClean) == clean) some.push_back(row);
  }
  return some;
}

std::string fit_text(const CalibrateFit& fit) {
  const std::string on = ", fitted on " + std::to_string(fit.count) + " images: " + fit.source + "\n";
  if (fit.method == FitMethod::kTemperature) return "temperature " + report::fixed(fit.rescaling.temperature, 4) + on;
  std::string text = "scale and shift of every class" + on;
  for (std::size_t k = 0; k < fit.rescaling.scale.size() && k < 10; ++k) {
    text += "  class " + std::to_string(k) + ": scale " + report::fixed(fit.rescaling.scale[k], 4) + ", shift " +
            report::fixed(fit.rescaling.shift[k], 4) + "\n";
  }
  return text;
}

json row_json(const CalibrateRow& row, bool mean) {
  json entry = calibration::to_json(row.measures);
  if (mean) entry.erase("bins");
  entry["classifier"] = row.variant;
  entry["input"] = word_of(row.input);
  if (row.level) entry["level"] = *row.level;
  return entry;
}

/// One curve for each variant and input, in order of appearance.
std::vector<report::Curve> curves_of(const CalibrateResult& result, const MeasureField& column) {
  std::vector<report::Curve> curves;
  for (const CalibrateRow& row : rows_of(result, /*clean=*/false)) {
    const std::string name =
        (row.input == Shown::kX0 ? "x0-hat" : "x_t") + (row.variant.empty() ? "" : ", " + row.variant);
    auto curve = std::find_if(curves.begin(), curves.end(), [&](const auto& c) { return c.name == name; });
    if (curve == curves.end()) curve = curves.insert(curves.end(), {name, {}, {}, true});
    curve->x.push_back(*row.level);
    curve->y.push_back(column.factor * (row.measures.*column.value));
  }
  return curves;
}

/// ECE over the softplus beta, of clean images and of the means over the levels.
report::Chart softplus_chart(const CalibrateResult& result) {
  report::Chart chart;
  chart.title = "Calibration error over the softplus β";
  chart.x_label = "β (0: ReLU)";
  chart.y_label = "ECE";
  std::vector<CalibrateRow> rows = rows_of(result, /*clean=*/true);
  rows.insert(rows.end(), result.means.begin(), result.means.end());
  for (const CalibrateRow& row : rows) {
    const std::string name = row.input == Shown::kClean ? "clean"
                             : row.input == Shown::kX0  ? "x0-hat, mean"
                                                        : "x_t, mean";
    auto curve = std::find_if(chart.curves.begin(), chart.curves.end(), [&](const auto& c) { return c.name == name; });
    if (curve == chart.curves.end()) curve = chart.curves.insert(chart.curves.end(), {name, {}, {}, true});
    const std::size_t blank = row.variant.find(' ');
    curve->x.push_back(blank == std::string::npos ? 0 : std::stod(row.variant.substr(blank)));
    curve->y.push_back(row.measures.ece);
  }
  return chart;
}

}  // namespace

json to_json(const CalibrateResult& result) {
  json rows = json::array();
  for (const CalibrateRow& row : result.rows) rows.push_back(row_json(row, false));
  json record = {{"rows", rows}};
  if (!result.means.empty()) {
    record["means"] = json::array();
    for (const CalibrateRow& row : result.means) record["means"].push_back(row_json(row, true));
  }
  if (result.fit) {
    record["fit"] = classifiers::to_json(result.fit->rescaling);
    record["fit"]["method"] = sextant::word_of(fit_words(), result.fit->method);
    record["fit"]["images"] = result.fit->count;
    record["fit"]["source"] = result.fit->source;
  }
  return record;
}

void write_diagrams(const std::filesystem::path& out, const CalibrateResult& result, const std::string& level_symbol) {
  if (!report::can_draw()) return;
  bool sweep = false;
  for (const CalibrateRow& row : rows_of(result, /*clean=*/true)) {
    const std::string variant = replaced(row.variant, " ", "-");
    const std::string title = row.variant.empty() ? "Reliability" : "Reliability, " + row.variant;
    report::write_svg_and_png(out / (variant.empty() ? "reliability" : "reliability-" + variant),
                              report::draw(report::Reliability{title, row.measures.diagram}));
    sweep = sweep || row.variant.starts_with("softplus");
  }
  if (sweep) report::write_svg_and_png(out / "softplus", report::draw(softplus_chart(result)));
  if (result.means.empty()) return;
  const auto write = [&](const std::string& name, const MeasureField& column) {
    report::Chart chart;
    chart.title = std::string(column.name) + " along the noise levels";
    chart.x_label = level_symbol == "sigma" ? "noise level σ" : level_symbol;
    chart.y_label = column.name;
    chart.curves = curves_of(result, column);
    report::write_svg_and_png(out / name, report::draw(chart));
  };
  for (const MeasureField& column : measure_fields()) {
    if (column.value == &Measures::accuracy) write("accuracy", column);
    if (column.value == &Measures::ece) write("ece", column);
    if (column.value == &Measures::nll) write("nll", column);
  }
}

std::string calibrate_text(const CalibrateResult& result, Format format) {
  if (format == Format::kJson) return json_text(to_json(result)) + "\n";
  if (format == Format::kCsv)
    return report::format_table(wide(result.rows, result.means, true), report::TableFormat::kCsv);
  const report::TableFormat shape = table_format(format);
  std::string text;
  if (result.fit) text += fit_text(*result.fit) + "\n";
  text += report::format_table(upright(rows_of(result, /*clean=*/true)), shape);
  const std::vector<CalibrateRow> noisy = rows_of(result, /*clean=*/false);
  if (!noisy.empty())
    text += "\n" + report::format_table(wide(noisy, result.means, format == Format::kMarkdown), shape);
  return text;
}

}  // namespace sextant::commands
