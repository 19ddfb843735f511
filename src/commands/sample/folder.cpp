#include "sample/folder.h"

#include "common/run_folder.h"
#include "drawing/identity.h"
#include "drawing/store.h"
#include "internal/runtime/difference.h"
#include "internal/runtime/json_file.h"
#include "sample/assemble.h"
#include "sample/batch_files.h"
#include "sextant/runtime/error.h"

namespace sextant::commands {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

std::string named(const std::string& role, const std::string& file) {
  const bool network = role != "settings" && role != "answers";
  return (network ? "weights of the " + role : role) + " (" + file + ")";
}

/// The first file that differs between two lists of inputs_of(): "weights of the model (FILE)". Where a hash is not
/// known, nothing can be said of it.
std::string changed_input(const json& former, const json& now) {
  if (!former.is_array()) return "";
  for (const json& one : now) {
    for (const json& other : former) {
      const bool same_part = other.is_object() && other.value("role", json()) == one.at("role") &&
                             other.value("file", json()) == one.at("file");
      const json known = same_part ? other.value("hash", json()) : json();
      const std::string before = known.is_string() ? known.get<std::string>() : "";
      const std::string hash = one.at("hash");
      if (!before.empty() && !hash.empty() && before != hash) return named(one.at("role"), one.at("file"));
    }
  }
  return "";
}

}  // namespace

SampleFolder::SampleFolder(fs::path folder, const json& identity, int64_t count, bool overwrite)
    : folder_(std::move(folder)) {
  check_writable_folder(folder_);
  read_entries<UsageError>(record(), [&] {
    former_ = former_record(record(), "config", overwrite);
    if (!overwrite) check_former(identity, count);

    const bool ours = former_.is_object() && identity_of(former_["config"]) == identity && fs::exists(npz()) &&
                      former_count() <= count;
    if (!ours) former_ = json();
  });
}

void SampleFolder::check_batches(const json& identity, bool overwrite) {
  alone_ = true;
  json former;
  try {
    const json settings = BatchFiles::settings_in(batches());
    if (settings.is_null()) return;
    former = identity_of(settings);
  } catch (const Error&) {
    if (!fs::exists(batches())) return;  // whoever put them together removed them just now
    if (!overwrite) throw;
  }
  batches_of_another_ = former != identity;
  if (!batches_of_another_ || overwrite) return;
  throw UsageError(batches().string() + " holds batches of another run: " + first_difference(former, identity) +
                   kChooseAnother);
}

void SampleFolder::agree_on_inputs(const json& inputs, bool overwrite) {
  const json stored = SampleStore::stored_identity(partial());
  const auto differ = [&](const json& former) {
    const std::string changed = changed_input(former, inputs);
    if (!changed.empty() && !overwrite) {
      throw UsageError("the " + changed + " are not those that the images in " + folder_.string() +
                       " were drawn with; give the former file" + kChooseAnother);
    }
    return !changed.empty();
  };
  if (differ(former_.is_object() ? former_.value("weights", json()) : json())) former_ = json();
  if (differ(stored.is_object() ? stored.value("weights", json()) : json())) former_ = json();
  if (alone_ && !batches_of_another_) batches_of_another_ = differ(BatchFiles::weights_in(batches()));
}

void SampleFolder::replace_former() const {
  if (batches_of_another_) remove_batches(batches());
  batches_of_another_ = false;
  if (former_.is_object()) return;
  for (const char* file : {"samples.npz", "grid.png", "run.json", "gradient-norm.svg", "gradient-norm.png"}) {
    fs::remove(folder_ / file);
  }
}

int64_t SampleFolder::former_count() const { return former_.value("/config/sample/count"_json_pointer, int64_t{0}); }

void SampleFolder::check_former(const json& identity, int64_t count) const {
  const json recorded = former_.is_object() ? identity_of(former_["config"]) : json();
  if (recorded == identity && former_count() > count) {
    throw UsageError(folder_.string() + " holds another run: [sample] count is " + std::to_string(former_count()) +
                     " there and " + std::to_string(count) + " here" + kChooseAnother);
  }
  json stored = SampleStore::stored_identity(partial());
  if (stored.is_object()) stored.erase("weights");  // see agree_on_inputs()
  if (stored == identity) return;                   // also of a run that was killed while it replaced another one
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
