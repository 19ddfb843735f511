#include "evaluate/report.h"

#include <c10/util/StringUtil.h>

#include "common/record.h"
#include "internal/report/table.h"
#include "internal/runtime/files.h"
#include "internal/runtime/json_file.h"

namespace sextant::commands {

using nlohmann::json;

namespace {

int digits_of(const std::string& key) { return key == "kid" ? 6 : 4; }

report::Table table_of(const evaluation::Evaluation& evaluation) {
  report::Table table;
  table.header = {"metric", "value", "deviation", report::fixed(100 * evaluation.level, 0) + " % low", "high"};
  for (const evaluation::Measure& m : evaluation.measures) {
    const int digits = digits_of(m.key);
    table.rows.push_back({m.label, report::fixed(m.value, digits),
                          m.deviation ? report::fixed(*m.deviation, digits) : "",
                          m.interval ? report::fixed(m.interval->low, digits) : "",
                          m.interval ? report::fixed(m.interval->high, digits) : ""});
  }
  return table;
}

/// A measure a line for programs.
std::string csv_of(const evaluation::Evaluation& evaluation) {
  json rows = json::array();
  for (const evaluation::Measure& m : evaluation.measures) {
    json row = {{"metric", m.key}, {"value", m.value}, {"level", evaluation.level}};
    if (m.deviation) row["deviation"] = *m.deviation;
    if (m.interval) row.update({{"low", m.interval->low}, {"high", m.interval->high}});
    rows.push_back(std::move(row));
  }
  return report::format_table(plain_table({"metric", "value", "deviation", "low", "high", "level"}, rows),
                              report::TableFormat::kCsv);
}

/// What was compared, as name and text.
std::vector<std::pair<std::string, std::string>> facts_of(const evaluation::Evaluation& e) {
  const auto images = [](const std::string& source, int64_t count) {
    return count > 0 ? source + " (" + std::to_string(count) + " images)" : source;
  };
  std::vector<std::pair<std::string, std::string>> facts = {{"samples", images(e.sample_source, e.sample_count)}};
  if (!e.reference_source.empty()) facts.emplace_back("reference", images(e.reference_source, e.reference_count));
  if (!e.extractor.empty()) {
    facts.emplace_back("features",
                       c10::str(e.extractor, ", ", e.dimensions, " dimensions, ", e.extractor_hash.substr(0, 12)));
    facts.emplace_back("protocol", evaluation::name_of(e.protocol));
  }
  if (!e.classifier.empty()) facts.emplace_back("classifier", e.classifier);
  return facts;
}

std::string markdown_of(const evaluation::Evaluation& evaluation) {
  std::string text;
  for (const auto& [name, fact] : facts_of(evaluation)) text += c10::str("* ", name, ": ", fact, "\n");
  text += "\n";
  text += report::format_table(table_of(evaluation), report::TableFormat::kMarkdown);
  for (const std::string& note : evaluation.notes) text += c10::str("\n", note, "\n");
  return text;
}

}  // namespace

std::string evaluation_text(const evaluation::Evaluation& evaluation, Format format) {
  if (format == Format::kJson) return json_text(evaluation::to_json(evaluation)) + "\n";
  if (format == Format::kMarkdown) return markdown_of(evaluation);
  if (format == Format::kCsv) return csv_of(evaluation);
  std::string text;
  for (const auto& [name, fact] : facts_of(evaluation)) {
    text += c10::str(name, std::string(12 - name.size(), ' '), fact, "\n");
  }
  text += "\n";
  text += report::format_table(table_of(evaluation), report::TableFormat::kTerminal);
  for (const std::string& note : evaluation.notes) text += c10::str("note: ", note, "\n");
  return text;
}

void write_evaluation(const EvaluateConfig& given, const evaluation::Evaluation& evaluation, const json& weights) {
  EvaluateConfig config = given;
  // No run.json: the folder may be that of the run whose samples these are.
  json numbers = evaluation::to_json(evaluation);
  numbers["command"] = "evaluate";
  numbers["config"] = OptionTable("evaluate", evaluate_options(config)).to_json();
  numbers["weights"] = weights;
  numbers["versions"] = versions_record(config.run.device);
  const std::filesystem::path out = config.run.out;
  write_atomically(out / "table.md", markdown_of(evaluation));
  write_atomically(out / "table.csv", csv_of(evaluation));
  write_atomically(out / "metrics.json", json_text(numbers) + "\n");
}

}  // namespace sextant::commands
