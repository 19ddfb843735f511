#include "train/folder.h"

#include "common/record.h"
#include "common/run_folder.h"
#include "internal/runtime/difference.h"
#include "internal/runtime/files.h"
#include "internal/runtime/json_file.h"
#include "internal/training/snapshots.h"
#include "sextant/runtime/error.h"
#include "train/identity.h"

namespace sextant::commands {

namespace fs = std::filesystem;
using nlohmann::json;

TrainFolder::TrainFolder(fs::path folder, json identity, bool overwrite)
    : folder_(std::move(folder)), identity_(std::move(identity)) {
  check_writable_folder(folder_);
  record_ = former_record(folder_ / "run.json", "identity", overwrite);
  const auto is_this = [&](const json& there) {
    json like = identity_like(there, identity_);
    const bool same = like == there;
    if (same || !overwrite) identity_ = std::move(like);
    return same;
  };
  const bool same = !record_.is_null() && is_this(record_["identity"]);
  complete_ = same && fs::exists(folder_ / "model.safetensors");
  if (complete_) return;
  if (!record_.is_null() && !same && !overwrite) {
    throw UsageError(folder_.string() + " holds another training: " + first_difference(record_["identity"], identity_) +
                     kChooseAnother);
  }
  const bool foreign = record_.is_null() && fs::exists(folder_ / "model.safetensors");
  if (foreign && !fs::exists(folder_ / "checkpoints") && !overwrite) {
    throw UsageError((folder_ / "model.safetensors").string() + " exists, and no run.json says how it was made" +
                     kChooseAnother);
  }
  const auto snapshot = training::Snapshots(folder_ / "checkpoints").newest();
  const bool continues = snapshot && is_this(snapshot->facts.value("identity", json()));
  replaces_ = overwrite && !continues && (snapshot || !record_.is_null());
}

TrainResult TrainFolder::former() const {
  TrainResult result;
  result.complete = result.there_already = true;
  read_entries(folder_ / "run.json", [&] {
    result.steps = record_.value("steps", int64_t{0});
    result.best_step = record_.value("best_step", int64_t{0});
  });
  return result;
}

void TrainFolder::write_record(const std::string& command, const TrainSetup& setup,
                               const training::TrainerResult& result, const json& more) const {
  json record = {{"command", command},
                 {"config", setup.settings},
                 {"identity", identity_},
                 {"versions", versions_record(parse_device_choice(setup.settings.at("control").at("device")))},
                 {"weights", setup.weights.record()},
                 {"complete", true},
                 {"steps", result.steps},
                 {"best_step", result.best_step},
                 {"stopped_early", result.stopped_early},
                 {"images_per_second", result.images_per_second}};
  record.update(more);
  write_atomically(folder_ / "run.json", json_text(record) + "\n");
}

}  // namespace sextant::commands
