#include "sample/batch_files.h"

#include <dirent.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <memory>
#include <random>

#include "common/run_folder.h"
#include "drawing/identity.h"
#include "internal/runtime/content_hash.h"
#include "internal/runtime/difference.h"
#include "internal/runtime/files.h"
#include "internal/runtime/sentence.h"
#include "sextant/checkpoint/checkpoint.h"
#include "sextant/runtime/error.h"

namespace sextant::commands {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr char kSettings[] = "settings.json";
constexpr char kWeights[] = "weights.json";
constexpr int64_t kRecordNumbers = 5;

/// What has to be equal for two processes to share a run: what the images depend on, and how they are numbered.
json shared_identity(const json& settings) {
  json identity = identity_of(settings);
  for (const char* key : {"count", "batch"}) identity["sample"][key] = settings.at("sample").at(key);
  return identity;
}

/// What a file that all processes have to agree on holds; null where it is not there. UsageError where it is damaged.
json agreed_in(const fs::path& file) {
  if (!fs::exists(file)) return {};
  json value = json::parse(read_file(file), nullptr, false);
  if (value.is_object() || value.is_array()) return value;
  throw UsageError(file.string() +
                   " is damaged: it is no JSON; remove it and start a task again, which writes it anew");
}

/// What such a file holds in the end: `value`, or what another process was the first to put there.
json agree(const fs::path& file, const json& value) {
  if (json former = agreed_in(file); !former.is_null()) return former;
  // A rename would replace what another process wrote since; a link does not.
  const fs::path beside = file.string() + "." + std::to_string(std::random_device()());
  write_atomically(beside, value.dump(2) + "\n");
  const int error = link(beside.c_str(), file.c_str()) == 0 ? 0 : errno;
  if (error == 0 || error == EEXIST) {
    unlink(beside.c_str());
  } else {
    fs::rename(beside, file);  // a file system without links: of two at once get() refuses the batches of the first
  }
  sync_folder(file.parent_path());
  return agreed_in(file);
}

std::string signature_of(const json& value) {
  ContentHash hash;
  hash.add(value.dump(-1, ' ', false, json::error_handler_t::replace));
  return hash.digits();
}

/// Of the settings that shared_identity() names, as their file has them: a later version may know of more.
std::string signature_of_settings(const json& stored) {
  const json identity = shared_identity(stored);
  json named = json::object();
  for (const auto& [table, entries] : stored.items()) {
    if (!entries.is_object() || !identity.contains(table)) continue;
    for (const auto& [key, value] : entries.items()) {
      if (identity[table].contains(key)) named[table][key] = value;
    }
  }
  return signature_of(named);
}

Tensor as_text(const std::string& text) {
  Tensor bytes = at::empty({static_cast<int64_t>(text.size())}, at::kByte);
  if (!text.empty()) std::memcpy(bytes.data_ptr(), text.data(), text.size());
  return bytes;
}

Tensor as_numbers(const std::vector<SampleRecord>& records) {
  Tensor numbers = at::empty({static_cast<int64_t>(records.size()), kRecordNumbers}, at::kDouble);
  double* out = numbers.data_ptr<double>();
  for (const SampleRecord& record : records) {
    for (const double number : {static_cast<double>(record.label), record.gradient_norm, record.seconds,
                                record.denoiser_seconds, record.classifier_seconds}) {
      *out++ = number;
    }
  }
  return numbers;
}

/// CheckpointError that names the file where a label is none.
std::vector<SampleRecord> as_records(const Tensor& numbers, const fs::path& file) {
  constexpr double kMost = 1e9;  // of what a float64 holds, an int64 does not hold all
  std::vector<SampleRecord> records;
  const double* in = numbers.data_ptr<double>();
  for (int64_t i = 0; i < numbers.size(0); ++i, in += kRecordNumbers) {
    if (!(in[0] >= -1 && in[0] <= kMost) || in[0] != std::floor(in[0])) {
      throw CheckpointError(c10::str(file.string(), ": 'records' has ", in[0], " where a label should be"));
    }
    records.push_back({static_cast<int64_t>(in[0]), in[1], in[2], in[3], in[4]});
  }
  return records;
}

/// The batch whose file has this name, which ends with one of `endings`, or -1.
int64_t batch_named(std::string_view name, std::initializer_list<std::string_view> endings) {
  int64_t batch = -1;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), batch);
  const bool canonical = name.starts_with("0") ? batch == 0 && end == name.data() + 1 : true;
  const auto read = static_cast<std::size_t>(end - name.data());
  const bool known = std::find(endings.begin(), endings.end(), name.substr(read)) != endings.end();
  return error == std::errc() && canonical && known ? batch : -1;
}

}  // namespace

BatchFiles::BatchFiles(const fs::path& folder, const json& settings)
    : BatchFiles(folder, settings, [&] {
        check_writable_folder(folder);
        if (json former = settings_in(folder); !former.is_null()) return Stored{std::move(former)};
        agree(folder / kSettings, settings);
        return Stored{settings_in(folder)};
      }()) {}

BatchFiles BatchFiles::there(const fs::path& folder, const json& settings) {
  return {folder, settings, Stored{settings_in(folder)}};
}

BatchFiles::BatchFiles(fs::path folder, const json& settings, const Stored& stored) : folder_(std::move(folder)) {
  if (stored.settings.is_null()) throw UsageError(folder_.string() + " holds no batches of a shared run");
  count_ = settings.at("sample").at("count").get<int64_t>();
  batch_ = settings.at("sample").at("batch").get<int64_t>();
  const json former = shared_identity(stored.settings), here = shared_identity(settings);
  if (former != here) {
    throw UsageError(folder_.string() + " holds batches of another run: " + first_difference(former, here) +
                     "; give the same settings to all tasks, or another --out, or remove that folder");
  }
  settings_signature_ = signature_of_settings(stored.settings);
}

json BatchFiles::settings_in(const fs::path& folder) {
  const json settings = agreed_in(folder / kSettings);
  if (settings.is_null()) return {};
  const auto possible = [&](const char* key) {
    const json sample = settings.is_object() ? settings.value("sample", json()) : json();
    const json number = sample.is_object() ? sample.value(key, json()) : json();
    constexpr int64_t kMost = 1'000'000'000;
    return number.is_number_integer() && number.get<int64_t>() >= 1 && number.get<int64_t>() <= kMost;
  };
  if (!possible("count") || !possible("batch")) {
    throw UsageError((folder / kSettings).string() + " is damaged: it has no possible [sample] count and batch");
  }
  return settings;
}

std::vector<int64_t> BatchFiles::samples(int64_t batch) const {
  std::vector<int64_t> samples;
  for (int64_t i = batch * batch_; i < std::min(count_, (batch + 1) * batch_); ++i) samples.push_back(i);
  return samples;
}

fs::path BatchFiles::file(int64_t batch) const { return folder_ / (std::to_string(batch) + ".npz"); }

fs::path BatchFiles::mark(int64_t batch) const { return folder_ / (std::to_string(batch) + ".burst"); }

void BatchFiles::give_up(int64_t batch) const { write_atomically(mark(batch), ""); }

void BatchFiles::try_again(int64_t first, int64_t step) const {
  const BatchRanges all = missing(), unmarked = left();
  if (all.size() == unmarked.size()) return;
  all.each(0, size(), first, step, [&](int64_t batch) {
    if (!unmarked.has(batch)) unlink(mark(batch).c_str());
    return true;
  });
}

BatchRanges BatchFiles::without(std::initializer_list<std::string_view> endings) const {
  // One reading of the folder: a question for each of thousands of batches would be slow on a shared file system. By
  // readdir(), since std::filesystem's paths take ten times as long as the system does.
  constexpr int64_t kBits = 64;
  std::vector<uint64_t> there(static_cast<std::size_t>((size() + kBits - 1) / kBits));
  std::fill_n(there.begin(), kept_ / kBits, ~uint64_t{0});
  if (kept_ % kBits != 0) there[static_cast<std::size_t>(kept_ / kBits)] = (uint64_t{1} << kept_ % kBits) - 1;
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(opendir(folder_.c_str()), closedir);
  errno = listing ? 0 : errno;
  while (const dirent* const entry = listing ? readdir(listing.get()) : nullptr) {
    const int64_t batch = batch_named(entry->d_name, endings);
    if (batch >= 0 && batch < size()) there[static_cast<std::size_t>(batch / kBits)] |= uint64_t{1} << batch % kBits;
  }
  // Whoever put the run together may remove the folder at any moment.
  if (errno == ENOENT) return {};
  if (errno != 0) throw Error("cannot list " + folder_.string() + ": " + std::strerror(errno));
  BatchRanges missing;
  for (int64_t begin = 0; begin < size(); begin += kBits) {
    const uint64_t bits = there[static_cast<std::size_t>(begin / kBits)];
    const int64_t end = std::min(begin + kBits, size());
    if (bits == 0) missing.add(begin, end);
    for (int64_t batch = begin; bits != 0 && batch < end; ++batch) {
      if ((bits >> (batch - begin) & 1) == 0) missing.add(batch, batch + 1);
    }
  }
  return missing;
}

BatchRanges BatchFiles::left(const BatchRanges& candidates) const {
  constexpr int64_t kFew = 1024;
  if (candidates.size() > kFew) return left();
  BatchRanges left;
  candidates.each(0, size(), 0, 1, [&](int64_t batch) {
    if (!has(batch) && !given_up(batch)) left.add(batch, batch + 1);
    return true;
  });
  return fs::exists(folder_) ? left : BatchRanges();
}

int64_t BatchFiles::finished(const BatchRanges& missing) const {
  const int64_t short_of = missing.has(size() - 1) ? size() * batch_ - count_ : 0;
  return count_ - missing.size() * batch_ + short_of;
}

void BatchFiles::agree_on_weights(const json& weights) {
  if (agree(folder_ / kWeights, weights) != weights) {
    throw UsageError("the weights are not those that the other batches in " + folder_.string() + " were drawn with (" +
                     (folder_ / kWeights).string() + "); give the former files, or another --out");
  }
  weights_signature_ = signature_of(weights);
}

json BatchFiles::weights_in(const fs::path& folder) { return agreed_in(folder / kWeights); }

void BatchFiles::put(int64_t batch, const Batch& drawn) const {
  checkpoint::save_npz(file(batch), {{"images", drawn.images},
                                     {"records", as_numbers(drawn.records)},
                                     {"traces", drawn.traces.to(at::kCPU, at::kDouble)},
                                     {"settings", as_text(settings_signature_)},
                                     {"weights", as_text(weights_signature_)}});
}

Batch BatchFiles::get(int64_t batch, const json& weights) const {
  try {
    return read(batch, weights);
  } catch (const CheckpointError& error) {
    throw CheckpointError(and_then(error.what(), "Remove it and start its task again"));
  }
}

Batch BatchFiles::read(int64_t batch, const json& weights) const {
  const checkpoint::NpzReader reader(file(batch));
  const auto check = [&](const char* name, const std::string& expected, const char* where) {
    // A build without the hash signs with nothing.
    if (expected.empty() || !reader.contains(name) || reader.shape(name) == std::vector<int64_t>{0}) return;
    if (const Tensor hash = reader.read(name); hash.scalar_type() != at::kByte || !hash.equal(as_text(expected))) {
      throw CheckpointError(file(batch).string() + " was drawn with other " + name + " than " +
                            (folder_ / where).string() + " has");
    }
  };
  check("settings", settings_signature_, kSettings);
  check("weights", signature_of(weights), kWeights);
  const auto n = static_cast<int64_t>(samples(batch).size());
  const auto read = [&](const char* name, at::ScalarType dtype, int64_t dimensions) {
    if (!reader.contains(name)) throw CheckpointError(file(batch).string() + " has no array '" + name + "'");
    Tensor array = reader.read(name);
    if (array.scalar_type() != dtype || array.dim() < dimensions || array.size(0) != n) {
      throw CheckpointError(file(batch).string() + ": '" + name + "' is no array of " + std::to_string(n) + " samples");
    }
    return array.contiguous();
  };
  const Tensor records = read("records", at::kDouble, 2);
  if (records.size(1) != kRecordNumbers) throw CheckpointError(file(batch).string() + ": 'records' is of another kind");
  const at::ScalarType dtype = reader.contains("images") && reader.shape("images").size() == 2 ? at::kFloat : at::kByte;
  return {read("images", dtype, 2), as_records(records, file(batch)), read("traces", at::kDouble, 1)};
}

}  // namespace sextant::commands
