#include "internal/commands/merge.h"

#include "common/run_folder.h"
#include "drawing/identity.h"
#include "internal/commands/sample.h"
#include "internal/runtime/text.h"
#include "sample/batch_files.h"
#include "sample/folder.h"
#include "sample/share.h"
#include "sextant/runtime/error.h"

namespace sextant::commands {

namespace fs = std::filesystem;
using nlohmann::json;

std::vector<OptionGroup> merge_options(MergeConfig& config) {
  return {{"merge",
           "Where to",
           {{"--out", &config.out, Anything{}, "Folder for samples.npz and its companions; left out, the first FOLDER",
             "DIR"}}}};
}

SampleResult run_merge(const std::vector<std::string>& folders, const MergeConfig& merge) {
  if (folders.empty()) throw UsageError("a folder is needed: sextant merge FOLDER...");
  std::vector<BatchFiles> sources;
  json settings;
  for (const std::string& folder : folders) {
    const fs::path batches = fs::path(folder) / "samples.batches";
    const json here = BatchFiles::settings_in(batches);
    if (here.is_null()) {
      throw UsageError(
          folder + " holds no batches of a shared run (" + batches.string() + ")" +
          (fs::exists(fs::path(folder) / "samples.npz") ? "; its samples.npz is put together already" : ""));
    }
    if (settings.is_null()) settings = here;
    sources.emplace_back(batches, settings);  // UsageError where a setting differs
  }
  SampleConfig config;
  OptionTable("sample", sample_options(config)).merge(settings, folders.front() + "/samples.batches");
  config.run.out = merge.out.empty() ? folders.front() : merge.out;
  const SampleFolder folder(config.run.out, identity_of(config), config.sample.count, false);
  const json record = assemble(config, settings, sources, folder);
  if (merge.out.empty()) fs::remove_all(fs::path(folders.front()) / "samples.batches");
  SampleResult result;
  result.finished = record.at("finished").get<int64_t>();
  result.count = config.sample.count;
  return result;
}

}  // namespace sextant::commands
