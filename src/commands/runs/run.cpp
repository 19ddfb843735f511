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

bool to_be_pruned(const json& run, Prune prune) {
  switch (prune) {
    case Prune::kNothing:
      return false;
    case Prune::kFailed:
      return run["state"] == "failed";
    case Prune::kGone:
      return run["state"] != "failed" && !fs::exists(fs::path(run["folder"].get<std::string>()) / "samples.npz");
    case Prune::kUnused:
      return run["sweep"] == json("");
  }
  return false;
}

void write_export(const fs::path& file, const std::vector<json>& runs) {
  if (file.extension() == ".json") return write_atomically(file, json_text(runs) + "\n");
  if (file.extension() == ".csv") {
    return write_atomically(file, report::format_table(listing(runs), report::TableFormat::kCsv));
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
            "Write the runs to this .json file, with every setting, hash and number, or to a .csv file", "FILE"},
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
    result.numbers = {a, b};
    return result;
  }
  runs = matching(runs, config.where);
  if (config.prune != Prune::kNothing) {
    std::vector<json> kept;
    for (const json& run : runs) {
      if (to_be_pruned(run, config.prune)) {
        ledger.remove(run["id"]);
      } else {
        kept.push_back(run);
      }
    }
    result.notes.push_back(std::to_string(runs.size() - kept.size()) + " runs forgotten, " +
                           std::to_string(kept.size()) + " listed");
    runs = std::move(kept);
  }
  if (!config.to.empty()) {
    write_export(config.to, runs);
    result.notes.push_back(std::to_string(runs.size()) + " runs in " + config.to);
  }
  result.table = listing(runs);
  result.numbers = runs;
  return result;
}

}  // namespace sextant::commands
