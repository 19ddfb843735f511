#include <algorithm>
#include <optional>

#include "drawing/claim.h"
#include "internal/commands/runs.h"
#include "internal/runtime/files.h"
#include "internal/runtime/json_file.h"
#include "internal/runtime/text.h"
#include "runs/listed.h"
#include "sextant/runtime/error.h"

namespace sextant::commands {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

fs::path ledger_file(const fs::path& given) {
  const fs::path file = fs::is_directory(given) ? given / "ledger.sqlite" : given;
  if (!fs::exists(file)) {
    throw UsageError("there is no ledger " + file.string() +
                     "; a sweep keeps one in its folder or where its --ledger says");
  }
  return file;
}

const json& run_named(const std::vector<json>& runs, const std::string& id) {
  for (const json& run : runs) {
    if (std::to_string(run["id"].get<int64_t>()) == id) return run;
  }
  throw UsageError("--compare: there is no run '" + id + "'; 'sextant runs LEDGER' lists them");
}

/// Whether a sweep whose folder is still there has yet to begin the run.
bool awaited(const json& run) {
  if (run["state"] != "new" || run["images"] != 0) return false;
  const json& cells = run["cells"];
  return std::any_of(cells.begin(), cells.end(),
                     [](const json& cell) { return fs::exists(cell["sweep"].get<std::string>()); });
}

bool to_be_pruned(const json& run, Prune prune) {
  switch (prune) {
    case Prune::kNothing:
      return false;
    case Prune::kFailed:
      return run["state"] == "failed";
    case Prune::kGone:
      return run["state"] != "failed" && !awaited(run) &&
             !fs::exists(fs::path(run["folder"].get<std::string>()) / "samples.npz");
    case Prune::kUnused:
      return run["cells"].empty();
  }
  return false;
}

/// False for a run that a sweep is drawing or scoring: that would have the ledger lose what it is about to say.
bool forget(const json& run, ledger::Ledger& ledger) {
  const fs::path folder = run["folder"].get<std::string>();
  std::optional<Claim> claim;  // none is made, and no folder, where none was
  if (Claim::made(folder)) claim.emplace(folder, /*needed=*/false);
  if (claim && !claim->held()) return false;
  ledger.remove(run["id"]);
  return true;
}

void write_export(const fs::path& file, const std::vector<json>& runs) {
  if (file.extension() == ".json") return write_atomically(file, json_text(runs) + "\n");
  if (file.extension() == ".csv") {
    return write_atomically(file, report::format_table(whole_listing(runs), report::TableFormat::kCsv));
  }
  throw UsageError("--to must end in .json or .csv, got '" + file.string() + "'");
}

}  // namespace

std::vector<OptionGroup> runs_options(RunsConfig& config) {
  return {
      {"runs",
       "What to do with the runs",
       {
           {"--where", &config.where, Anything{},
            "Only runs for which all of KEY=VALUE,... hold: row, column, seed, state (new, drawing, done, failed), "
            "sweep or a setting such as guidance.alpha",
            "TEXT"},
           {"--compare", &config.compare, Anything{}, "Two runs by their ids, A,B: what differs between them", "IDS"},
           {"--to", &config.to, Anything{},
            "Write the runs to this .json file, with every setting, hash and number, or to a .csv file, without hashes",
            "FILE"},
           choice("--prune", &config.prune,
                  {{"nothing", Prune::kNothing},
                   {"failed", Prune::kFailed},
                   {"gone", Prune::kGone},
                   {"unused", Prune::kUnused}},
                  "Forget runs that failed, whose images are gone, or that no sweep stands on; images stay"),
           format_option(&config.format, /*latex=*/true),
       }}};
}

RunsResult run_runs(const fs::path& given, const RunsConfig& config) {
  ledger::Ledger ledger(ledger_file(given));
  RunsResult result;
  std::vector<json> runs = described(ledger);
  if (!config.compare.empty()) {
    const std::vector<std::string> ids = split(config.compare, ',');
    if (ids.size() != 2) throw UsageError("--compare needs two ids, such as 3,7, got '" + config.compare + "'");
    const json a = run_named(runs, trimmed(ids[0]));
    const json b = run_named(runs, trimmed(ids[1]));
    result.table = comparison(a, b);
    result.csv = result.table;
    result.numbers = {a, b};
    return result;
  }
  runs = matching(runs, config.where);
  if (config.prune != Prune::kNothing) {
    std::vector<json> kept;
    int64_t busy = 0;
    for (const json& run : runs) {
      const bool prune = to_be_pruned(run, config.prune);
      const bool forgotten = prune && forget(run, ledger);
      if (!forgotten) kept.push_back(run);
      busy += prune && !forgotten ? 1 : 0;
    }
    result.notes.push_back(std::to_string(runs.size() - kept.size()) + " runs forgotten, " +
                           std::to_string(kept.size()) + " listed" +
                           (busy > 0 ? ", of which a sweep is drawing or scoring " + std::to_string(busy) : ""));
    runs = std::move(kept);
  }
  if (!config.to.empty()) {
    write_export(config.to, runs);
    result.notes.push_back(std::to_string(runs.size()) + " runs in " + config.to);
  }
  result.table = listing(runs);
  result.csv = whole_listing(runs);
  result.numbers = runs;
  return result;
}

}  // namespace sextant::commands
