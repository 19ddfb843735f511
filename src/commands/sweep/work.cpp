#include "sweep/work.h"

#include <algorithm>
#include <set>

#include "common/record.h"
#include "internal/runtime/sentence.h"
#include "sextant/runtime/error.h"
#include "sweep/place.h"

namespace sextant::commands {

using nlohmann::json;

namespace {

bool same_cell(const Work& one, const Work& other) {
  return one.run.row == other.run.row && one.run.column == other.run.column;
}

std::string name_of(const SweepRun& run, bool seed) {
  std::string name = run.column.empty() ? run.row : run.row + ", " + run.column;
  return seed ? name + ", seed " + std::to_string(run.config.sample.seed) : name;
}

}  // namespace

std::vector<Work> works_of(const std::vector<SweepRun>& runs) {
  std::set<uint64_t> seeds;
  for (const SweepRun& run : runs) seeds.insert(run.config.sample.seed);
  std::vector<Work> works;
  for (const SweepRun& run : runs) works.push_back({run, name_of(run, seeds.size() > 1), {}, {}, {}, false, ""});
  return works;
}

bool find_place(Work& work, ledger::Ledger& ledger) {
  if (!work.place) {
    const ledger::Run described = described_run(work.run.config, ledger);
    if (const auto refused = ledger.find(refused_run(work.run.config, "").key)) ledger.remove(refused->id);
    work.place = described;
  }
  const std::optional<ledger::Run> there = ledger.find(work.place->key);
  work.place = there ? *there : ledger.find_or_add(*work.place);
  return !there;
}

std::vector<ResultLine> lines_of(std::vector<Work>& works, std::vector<std::vector<Work*>>& members) {
  std::vector<ResultLine> lines;
  for (Work& work : works) {
    if (!work.done) continue;
    std::size_t at = 0;
    while (at < lines.size() && !same_cell(*members[at][0], work)) ++at;
    if (at == lines.size()) {
      lines.push_back({work.run.row, work.run.column, {}, {}, work.run.config.sample.count, 0, 0, false, {}});
      members.emplace_back();
    }
    ResultLine& line = lines[at];
    line.seeds.push_back(work.run.config.sample.seed);
    line.runs.push_back(work.place->id);
    line.seconds_per_image += work.place->seconds_per_image;
    line.gradient_norm += work.place->gradient_norm;
    members[at].push_back(&work);
  }
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto n = static_cast<double>(lines[i].seeds.size());
    lines[i].seconds_per_image /= n;
    lines[i].gradient_norm /= n;
    std::vector<std::vector<ledger::Score>> scores;
    for (const Work* work : members[i]) scores.push_back(work->scores);
    lines[i].metrics = metric_lines(scores, members[i][0]->run.paper);
  }
  return lines;
}

void add_failed(report::Table& table, json& results, const std::vector<Work>& works) {
  std::vector<const Work*> failed;  // the first run of each cell
  for (const Work& work : works) {
    const auto same = [&](const Work* other) { return same_cell(work, *other); };
    const bool done =
        std::any_of(works.begin(), works.end(), [&](const Work& other) { return other.done && same(&other); });
    if (!done && std::none_of(failed.begin(), failed.end(), same)) failed.push_back(&work);
  }
  for (const Work* first : failed) {
    std::vector<std::string> cells(table.header.size());
    cells.at(0) = first->run.row + " (failed)";
    if (table.header.at(1) == "model") cells[1] = first->run.column;
    if (std::find(table.rows.begin(), table.rows.end(), cells) == table.rows.end()) table.rows.push_back(cells);
    json line = {{"row", first->run.row}, {"column", first->run.column}, {"failed", first->why}};
    for (const Work& work : works) {
      if (same_cell(work, *first)) line["seeds"].push_back(work.run.config.sample.seed);
    }
    results.push_back(line);
  }
}

json sweep_record(const json& recipe, SweepConfig config, const SweepResult& result, const json& results,
                  const std::filesystem::path& ledger) {
  json settings = recipe;
  settings["sweep"] = OptionTable("sweep", sweep_options(config)).to_json()["sweep"];
  json failures = json::array();
  for (const auto& [cell, why] : result.failures) failures.push_back({{"cell", cell}, {"why", why}});
  return {{"command", "sweep"},
          {"config", settings},
          {"versions", versions_record()},
          {"complete", result.complete()},
          {"runs", {{"finished", result.finished}, {"count", result.count}}},
          {"ledger", std::filesystem::weakly_canonical(std::filesystem::absolute(ledger)).string()},
          {"failures", failures},
          {"results", results}};
}

void check_settings(const std::vector<SweepRun>& runs, Progress& progress) {
  std::set<std::string> told;
  for (const SweepRun& run : runs) {
    try {
      check_settings(run.config);
    } catch (const UsageError& error) {
      throw UsageError(name_of(run, false) + ": " + error.what());
    }
    if (run.varied.empty()) continue;
    for (const std::string& line : settings_without_effect(run.config, run.varied)) {
      if (told.insert(line).second) progress.note(line + ": its axis makes rows of equal images, such as " + run.row);
    }
  }
}

std::string failure_of(const SweepResult& result) {
  if (result.failures.empty()) return "";
  return std::to_string(result.failures.size()) + " of " + std::to_string(result.count) +
         " runs failed, the first: " + result.failures[0].cell + ": " +
         and_then(result.failures[0].why, "The same command tries them again");
}

}  // namespace sextant::commands
