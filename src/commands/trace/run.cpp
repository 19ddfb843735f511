#include <set>

#include "common/indices.h"
#include "common/record.h"
#include "common/run_folder.h"
#include "drawing/guidance_trace.h"
#include "internal/commands/trace.h"
#include "internal/runtime/difference.h"
#include "internal/runtime/files.h"
#include "sextant/runtime/device.h"
#include "sextant/runtime/error.h"
#include "trace/followed.h"

namespace sextant::commands {

using nlohmann::json;

namespace {

/// Numbers of all methods together, each about 60 bytes while trace.json is written: 6 GB.
constexpr int64_t kMostNumbers = 100'000'000;

MapChoice choice_of(const TraceConfig& config) {
  MapChoice shown;
  shown.samples = parse_indices(config.samples, "--samples", "image");
  const int64_t count = config.method.sample.count;
  for (const int64_t sample : shown.samples) {
    if (sample < count) continue;
    throw UsageError("--samples " + std::to_string(sample) + " is no image: they are 0-" + std::to_string(count - 1));
  }
  if (!config.at.empty()) shown.at = parse_indices(config.at, "--at", "step");
  return shown;
}

json settings_of(const TraceConfig& given) {
  TraceConfig config = given;
  json settings = OptionTable("trace", trace_options(config)).to_json();
  settings.merge_patch(config.grid);
  return settings;
}

/// What the numbers depend on.
json trace_identity(json settings) {
  for (const char* neutral : {"out", "overwrite", "threads", "quiet"}) settings["sample"].erase(neutral);
  return settings;
}

void check_former(const std::filesystem::path& file, const json& settings) {
  const json former = former_record(file, "config");
  if (!former.is_object()) return;
  const json there = trace_identity(former["config"]);
  const json here = trace_identity(settings);
  if (there == here) return;
  throw UsageError(file.string() + " is of other settings: " + first_difference(there, here) + kChooseAnother);
}

/// Errors of `action` with the name of the method that they are about.
template <class Action>
auto naming(const std::string& method, const Action& action) {
  try {
    return action();
  } catch (const UsageError& error) {
    throw UsageError(method + ": " + error.what());
  } catch (const Error& error) {
    throw Error(method + ": " + error.what());
  }
}

report::Table table_of(const std::vector<Followed>& methods) {
  report::Table table;
  table.header = {"method",         "first p(target)", "halfway", "last",
                  "last, top 25 %", "first |g|",       "last",    "vanished at the end, %"};
  for (const Followed& method : methods) {
    const json rows = means_of(method);
    if (rows.empty()) continue;
    const json &first = rows.front(), &half = rows[rows.size() / 2], &last = rows.back();
    const auto cell = [](const json& row, const char* number, int digits) {
      return report::fixed(row.at(number).get<double>(), digits);
    };
    table.rows.push_back({method.name, cell(first, "probability", 3), cell(half, "probability", 3),
                          cell(last, "probability", 3), cell(last, "probability_top", 3),
                          cell(first, "gradient_norm", 4), cell(last, "gradient_norm", 4),
                          report::fixed(100 * last.at("vanished").get<double>(), 1)});
  }
  return table;
}

/// Of one method every setting that has no effect; of several what an axis varies.
void tell_idle_settings(const std::vector<TraceMethod>& methods, bool one, Progress& progress) {
  std::set<std::string> told;
  for (const TraceMethod& method : methods) {
    for (const std::string& line :
         one ? settings_without_effect(method.config) : settings_without_effect(method.config, method.varied)) {
      if (told.insert(line).second)
        progress.note(one ? line : line + ": its axis makes methods that are alike, such as " + method.name);
    }
  }
}

}  // namespace

TraceResult run_trace(const TraceConfig& config, Progress& progress, const Stop& stop) {
  const RunConfig& run = config.method.run;
  std::vector<TraceMethod> methods = trace_methods(config);
  for (TraceMethod& method : methods) naming(method.name, [&] { method.config = resolved(method.config); });
  const MapChoice shown = choice_of(config);
  const json settings = settings_of(config);
  const std::filesystem::path out = run.out;
  check_writable_folder(out);
  if (!run.overwrite) check_former(out / "trace.json", settings);
  set_threads(static_cast<int>(run.threads));
  tell_idle_settings(methods, config.grid.empty(), progress);
  if (config.seeds > 1) {
    progress.note("note: " + config.source + " has " + std::to_string(config.seeds) + " seeds; a trace follows one, " +
                  std::to_string(config.method.sample.seed));
  }

  const int64_t most = kMostNumbers / static_cast<int64_t>(methods.size());
  std::vector<Followed> followed;
  for (const TraceMethod& method : methods) {
    if (stop.requested()) break;
    followed.push_back(naming(method.name, [&] { return follow(method, shown, most, progress, stop); }));
    if (!followed.back().complete) followed.pop_back();
  }
  TraceResult result{followed.size() == methods.size(), table_of(followed)};
  if (followed.empty()) return result;
  if (report::can_draw()) {
    draw_curves(out, followed);
    report::write_drawing(out / "maps.png", report::draw(maps_of(followed)));
  }
  json records = json::array();
  for (const Followed& method : followed) records.push_back(record_of(method));
  write_atomically(out / "trace.json", json{{"command", "trace"},
                                            {"config", settings},
                                            {"versions", versions_record(run.device)},
                                            {"complete", result.complete},
                                            {"methods", records}}
                                               .dump() +
                                           "\n");
  return result;
}

}  // namespace sextant::commands
