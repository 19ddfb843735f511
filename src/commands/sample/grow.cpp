#include "sample/grow.h"

#include <c10/util/StringUtil.h>

#include <limits>

#include "common/run_folder.h"
#include "drawing/guidance_trace.h"
#include "drawing/identity.h"
#include "internal/runtime/json_file.h"
#include "sextant/checkpoint/checkpoint.h"
#include "sextant/runtime/error.h"

namespace sextant::commands {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

/// [trace_steps, kTraceNumbers]: what run.json keeps of the steps; NaN where none was guided.
Tensor mean_trace(const json& record, int64_t trace_steps) {
  Tensor trace = at::full({trace_steps, kTraceNumbers}, std::numeric_limits<double>::quiet_NaN(), at::kDouble);
  auto numbers = trace.accessor<double, 2>();
  for (const json& row : record.value("trace", json::array())) {
    const auto step = row.at("step").get<int64_t>();
    if (step < 0 || step >= trace_steps) continue;
    for (const auto& [number, name] : {std::pair{kGradientNorm, "gradient_norm"},
                                       std::pair{kProbability, "probability"}, std::pair{kEntropy, "entropy"}}) {
      const json value = row.value(name, json());
      if (value.is_number()) numbers[step][number] = value;
    }
  }
  return trace;
}

void keep_images(const FormerRun& former, SampleStore& store, int64_t trace_steps) {
  const json& record = former.record;
  constexpr int64_t kChunk = 256;
  const checkpoint::NpzReader arrays(former.npz);
  const Tensor images = arrays.read("arr_0");
  const Tensor labels = arrays.read("arr_1");
  const json timings = record.value("timings", json::object());
  SampleRecord mean;
  mean.gradient_norm = record.value("gradient_norm", 0.0);
  mean.seconds = timings.value("seconds_per_image", 0.0);
  mean.denoiser_seconds = mean.seconds * timings.value("denoiser_share", 0.0);
  mean.classifier_seconds = mean.seconds * timings.value("classifier_share", 0.0);
  const Tensor trace = mean_trace(record, trace_steps);
  if (images.dim() == 0 || labels.dim() != 1 || labels.size(0) != images.size(0) ||
      !at::isIntegralType(labels.scalar_type(), false)) {
    throw CheckpointError(former.npz.string() + ": arr_0 and arr_1 are no images and labels of a run");
  }
  const int64_t count = std::min(images.size(0), store.count());
  for (int64_t first = 0; first < count; first += kChunk) {
    std::vector<int64_t> samples;
    std::vector<SampleRecord> records;
    for (int64_t i = first; i < std::min(first + kChunk, count); ++i) {
      if (store.has(i)) continue;  // since a run that was killed
      samples.push_back(i);
      mean.label = labels[i].item<int64_t>();
      records.push_back(mean);
    }
    if (samples.empty()) continue;
    const Tensor chosen = images.index_select(0, at::tensor(samples, at::kLong));
    const auto n = static_cast<int64_t>(samples.size());
    store.put(samples, chosen, records, trace.unsqueeze(0).expand({n, trace_steps, kTraceNumbers}));
  }
}

/// run.json, of which an entry may be of an unexpected kind.
fs::path record_file(const FormerRun& former) { return former.npz.parent_path() / "run.json"; }

/// DataError for images that were cut. Records of former versions have no size.
void check_size(const FormerRun& former) {
  std::error_code missing;
  const auto there = fs::file_size(former.npz, missing);
  if (missing || !former.record.is_object() || !former.record.contains("samples_bytes")) return;
  const auto written = former.record.at("samples_bytes").get<uint64_t>();
  if (there == written) return;
  try {
    // A kill between the images and their record leaves a whole archive beside the record of before.
    static_cast<void>(checkpoint::NpzReader(former.npz).shape("arr_0"));
  } catch (const CheckpointError&) {
    throw DataError(c10::str(former.npz.string(), " has ", there, " bytes, where its run wrote ", written,
                             ": it is damaged; remove it, and its images are drawn again"));
  }
}

}  // namespace

int64_t FormerRun::images() const {
  return read_entries(record_file(*this), [&] {
    check_size(*this);
    const bool whole = record.is_object() && record.value("complete", false);
    return whole ? record.value("finished", int64_t{0}) : 0;
  });
}

FormerRun former_run(const SampleFolder& folder) { return {folder.former(), folder.npz()}; }

FormerRun former_run(const fs::path& folder, const json& identity) {
  FormerRun former{{}, folder / "samples.npz"};
  if (!fs::exists(former.npz)) return former;
  json record = former_record(folder / "run.json", "config", true);
  if (record.is_object() && identity_of(record["config"]) == identity) former.record = std::move(record);
  return former;
}

void keep_former_images(const FormerRun& former, SampleStore& store, int64_t trace_steps) {
  if (former.images() == 0) return;
  read_entries(record_file(former), [&] { keep_images(former, store, trace_steps); });
}

}  // namespace sextant::commands
