#include <fstream>
#include <iostream>

#include "fuzz/targets.h"
#include "internal/commands/report.h"
#include "internal/commands/sample.h"
#include "internal/runtime/files.h"
#include "recipe.h"
#include "sextant/checkpoint/checkpoint.h"
#include "sextant/runtime/error.h"

namespace sextant::fuzz {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

/// Three points of a mixture, which take no time.
commands::SampleConfig small_run(const fs::path& folder) {
  const fs::path model = folder / "mixture";
  fs::create_directories(model);
  std::ofstream(model / "config.json") << R"({"type": "mixture", "model": {"means": [[0, 1], [1, 0]],
    "covariances": 1}, "diffusion": {"noise_schedule": "linear", "steps": 10}})";
  commands::SampleConfig config;
  config.model.path = model;
  config.run.out = folder / "run";
  config.run.threads = 1;
  config.sample.count = 3;
  return config;
}

}  // namespace

/// As a recipe, on a report's page, and beside two points that a run of three continues. A record without "config" gets
/// that of the run: nothing else would be read otherwise.
void run_record(const fs::path& file) {
  const fs::path folder = file.parent_path();
  const auto tried = [](auto work) {
    try {
      work();
    } catch (const Error&) {
    }
  };
  commands::SampleConfig config = small_run(folder);
  OptionTable table("sample", commands::sample_options(config));
  fs::remove_all(folder / "run");
  fs::create_directories(folder / "run");
  json record = json::parse(read_file(file), nullptr, false);
  if (record.is_object() && !record.contains("config")) record["config"] = table.to_json();
  const fs::path copy = folder / "run/run.json";
  std::ofstream(copy) << (record.is_object() ? record.dump() : read_file(file));
  tried([&] {
    commands::SampleConfig other;
    OptionTable("sample", commands::sample_options(other)).merge(cli::recipe_tables(copy, "sample"), copy.string());
  });
  tried([&] { commands::run_report(folder / "run", {.out = folder / "report.html", .title = ""}); });
  checkpoint::save_npz(folder / "run/samples.npz", {{"arr_0", at::ones({2, 2})}, {"arr_1", at::zeros({2}, at::kLong)}});
  const auto progress = make_progress(ProgressStyle::kQuiet, std::cerr);
  commands::run_sample(config, *progress, Stop());
}

}  // namespace sextant::fuzz
