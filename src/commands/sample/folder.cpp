#include "sample/folder.h"

#include "common/run_folder.h"
#include "internal/runtime/difference.h"
#include "sample/identity.h"
#include "sample/store.h"
#include "sextant/runtime/error.h"

namespace sextant::commands {

namespace fs = std::filesystem;
using nlohmann::json;

SampleFolder::SampleFolder(fs::path folder, const json& identity, bool overwrite) : folder_(std::move(folder)) {
  check_writable_folder(folder_);
  former_ = former_record(record(), "config");
  if (!overwrite) check_former(identity);

  const bool ours = former_.is_object() && identity_of(former_["config"]) == identity && fs::exists(npz());
  if (!ours) former_ = json();
}

void SampleFolder::replace_former() const {
  if (former_.is_object()) return;
  for (const char* file : {"samples.npz", "grid.png", "run.json", "gradient-norm.svg", "gradient-norm.png"}) {
    fs::remove(folder_ / file);
  }
}

void SampleFolder::check_former(const json& identity) const {
  const json recorded = former_.is_object() ? identity_of(former_["config"]) : json();
  const json stored = SampleStore::stored_identity(partial());
  if (stored == identity) return;  // also of a run that was killed while it replaced another one
  if (SampleStore::of_another_version(partial())) {
    throw UsageError(partial().string() + " holds samples of a run of another version of sextant" + kChooseAnother);
  }
  for (const json& former : {recorded, stored}) {
    if (!former.is_object() || former == identity) continue;
    throw UsageError(folder_.string() + " holds another run: " + first_difference(former, identity) + kChooseAnother);
  }
  if (recorded.is_null() && stored.is_null() && fs::exists(npz())) {
    throw UsageError(npz().string() + " exists, and no run.json says how it was made" + kChooseAnother);
  }
}

}  // namespace sextant::commands
