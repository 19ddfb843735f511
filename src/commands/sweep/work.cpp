#include "sweep/work.h"

#include <algorithm>
#include <set>

#include "internal/runtime/sentence.h"
#include "sextant/runtime/error.h"

namespace sextant::commands {
namespace {

std::string name_of(const SweepRun& run, bool seed) {
  std::string name = run.column.empty() ? run.row : run.row + ", " + run.column;
  return seed ? name + ", seed " + std::to_string(run.config.sample.seed) : name;
}

}  // namespace

std::vector<Work> works_of(const std::vector<SweepRun>& runs) {
  std::set<uint64_t> seeds;
  for (const SweepRun& run : runs) seeds.insert(run.config.sample.seed);
  std::vector<Work> works;
  for (const SweepRun& run : runs) works.push_back({run, name_of(run, seeds.size() > 1), {}, {}, {}, false});
  return works;
}

void add_failed(report::Table& table, const std::vector<Work>& works) {
  for (const Work& work : works) {
    const bool any = std::any_of(works.begin(), works.end(), [&](const Work& other) {
      return other.done && other.run.row == work.run.row && other.run.column == work.run.column;
    });
    if (any) continue;
    std::vector<std::string> cells(table.header.size());
    cells.at(0) = work.run.row + " (failed)";
    if (table.header.at(1) == "model") cells[1] = work.run.column;
    if (std::find(table.rows.begin(), table.rows.end(), cells) == table.rows.end()) table.rows.push_back(cells);
  }
}

void check_settings(const std::vector<SweepRun>& runs) {
  for (const SweepRun& run : runs) {
    try {
      check_settings(run.config);
    } catch (const UsageError& error) {
      throw UsageError(name_of(run, false) + ": " + error.what());
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
