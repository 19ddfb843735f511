#include "internal/commands/merge.h"

#include "common/run_folder.h"
#include "drawing/identity.h"
#include "internal/commands/sample.h"
#include "internal/runtime/json_file.h"
#include "internal/runtime/text.h"
#include "sample/assemble.h"
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

namespace {

/// A smaller run that was drawn with the weights of these batches, in the folder of one of them or where all go.
FormerRun largest_former(const std::vector<std::string>& folders, const SampleFolder& out, const json& identity,
                         const std::vector<BatchFiles>& sources) {
  std::vector<FormerRun> runs = {former_run(out)};
  for (const std::string& folder : folders) runs.push_back(former_run(folder, identity));
  FormerRun largest;
  for (FormerRun& run : runs) {
    const auto drawn_alike = [&](const BatchFiles& files) {
      const json weights = files.weights();
      return weights.is_null() || weights == run.record.value("weights", json());
    };
    if (run.images() > largest.images() && std::all_of(sources.begin(), sources.end(), drawn_alike))
      largest = std::move(run);
  }
  return largest;
}

/// Where the run goes. UsageError where images are that are not of it.
SampleFolder checked_folder(const SampleConfig& config, const std::vector<BatchFiles>& sources) {
  try {
    SampleFolder folder(config.run.out, identity_of(config), config.sample.count, false);
    for (const BatchFiles& files : sources) {
      read_entries<UsageError>(files.folder() / "weights.json", [&] {
        if (const json weights = files.weights(); !weights.is_null()) folder.agree_on_inputs(weights, false);
      });
    }
    return folder;
  } catch (const UsageError& error) {  // which offers a flag that a merge does not have
    const std::string message = error.what();
    const std::size_t offer = message.find(kChooseAnother);
    if (offer == std::string::npos) throw;
    throw UsageError(message.substr(0, offer) + "; choose another --out");
  }
}

}  // namespace

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
    sources.push_back(BatchFiles::there(batches, settings));  // UsageError where a setting differs
  }
  SampleConfig config;
  OptionTable("sample", sample_options(config)).merge(settings, folders.front() + "/samples.batches");
  config.run.out = merge.out.empty() ? folders.front() : merge.out;
  const SampleFolder folder = checked_folder(config, sources);
  const FormerRun former = largest_former(folders, folder, identity_of(config), sources);
  for (BatchFiles& files : sources) files.keep(former.images());
  const json record = assemble(config, settings, {}, sources, former, folder);
  for (const BatchFiles& files : sources) {
    std::error_code gone;
    if (fs::equivalent(files.folder().parent_path(), config.run.out, gone)) remove_batches(files.folder());
  }
  SampleResult result;
  result.finished = record.at("finished").get<int64_t>();
  result.count = config.sample.count;
  return result;
}

}  // namespace sextant::commands
