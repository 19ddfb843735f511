#include "sample/grow.h"

#include <limits>

#include "drawing/guidance_trace.h"
#include "sextant/checkpoint/checkpoint.h"
#include "sextant/runtime/error.h"

namespace sextant::commands {

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

}  // namespace

void keep_former_images(const SampleFolder& folder, SampleStore& store, int64_t trace_steps) {
  const json& record = folder.former();
  if (!record.is_object() || !record.value("complete", false)) return;
  constexpr int64_t kChunk = 256;
  const checkpoint::NpzReader former(folder.npz());
  const Tensor images = former.read("arr_0");
  const Tensor labels = former.read("arr_1");
  const json timings = record.value("timings", json::object());
  SampleRecord mean;
  mean.gradient_norm = record.value("gradient_norm", 0.0);
  mean.seconds = timings.value("seconds_per_image", 0.0);
  mean.denoiser_seconds = mean.seconds * timings.value("denoiser_share", 0.0);
  mean.classifier_seconds = mean.seconds * timings.value("classifier_share", 0.0);
  const Tensor trace = mean_trace(record, trace_steps);
  if (images.dim() == 0 || labels.dim() != 1 || labels.size(0) != images.size(0) ||
      !at::isIntegralType(labels.scalar_type(), false)) {
    throw CheckpointError(folder.npz().string() + ": arr_0 and arr_1 are no images and labels of a run");
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

}  // namespace sextant::commands
