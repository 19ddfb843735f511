#include "sample/out_folder.h"

#include "common/writable_folder.h"
#include "internal/runtime/difference.h"
#include "internal/runtime/files.h"
#include "sample/store.h"
#include "sextant/runtime/error.h"

namespace sextant::commands {

namespace fs = std::filesystem;
using nlohmann::json;

json identity_of(json config) {
  const json guidance = config.value("guidance", json::object());
  const bool tilted_batches = guidance.value("tilt", 0.0) != 0 && guidance.value("tilt-group", 0) == 0;
  const bool coupled = guidance.value("guidance", "none") != "none" &&
                       (tilted_batches || guidance.value("gamma-max", "per-sample") == "elucd");
  if (!coupled) config["sample"].erase("batch");
  for (const char* neutral : {"out", "overwrite", "threads", "quiet"}) config["sample"].erase(neutral);
  return config;
}

OutFolder::OutFolder(fs::path folder, const json& identity, bool overwrite) : folder_(std::move(folder)) {
  check_writable_folder(folder_);
  if (fs::exists(record())) former_ = json::parse(read_file(record()), nullptr, false);
  if (!former_.is_object() || !former_.contains("config")) former_ = json();
  if (!overwrite) check_former(identity);

  const bool ours = former_.is_object() && identity_of(former_["config"]) == identity && fs::exists(npz());
  if (!ours) former_ = json();
  if (overwrite && !ours && SampleStore::stored_identity(partial()) != identity) {
    for (const fs::path& file : {npz(), grid(), record(), partial()}) fs::remove(file);
  }
}

void OutFolder::check_former(const json& identity) const {
  const std::string choose = "; choose another --out, or --overwrite to replace it";
  const json recorded = former_.is_object() ? identity_of(former_["config"]) : json();
  const json stored = SampleStore::stored_identity(partial());
  for (const json& former : {recorded, stored}) {
    if (!former.is_object() || former == identity) continue;
    throw UsageError(folder_.string() + " holds another run: " + first_difference(former, identity) + choose);
  }
  if (recorded.is_null() && stored.is_null() && fs::exists(npz())) {
    throw UsageError(npz().string() + " exists, and no run.json says how it was made" + choose);
  }
}

}  // namespace sextant::commands
