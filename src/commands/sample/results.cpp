#include "sample/results.h"

#include "common/points.h"
#include "common/record.h"
#include "drawing/guidance_trace.h"
#include "internal/runtime/files.h"
#include "sextant/report/drawing.h"

namespace sextant::commands {

using nlohmann::json;

namespace {

json record_of(const SampleConfig& config, const json& settings, const SampleStore& store, const json& trace,
               const json& weights) {
  SampleRecord sum;
  const std::vector<SampleRecord> records = store.records();
  for (const SampleRecord& record : records) {
    sum.gradient_norm += record.gradient_norm;
    sum.seconds += record.seconds;
    sum.denoiser_seconds += record.denoiser_seconds;
    sum.classifier_seconds += record.classifier_seconds;
  }
  const double n = static_cast<double>(std::max<std::size_t>(1, records.size()));
  const double seconds = std::max(sum.seconds, 1e-12);
  return {{"command", "sample"},
          {"config", settings},
          {"versions", versions_record(config.run.device)},
          {"weights", weights},
          {"complete", store.finished() == store.count()},
          {"finished", store.finished()},
          {"timings",
           {{"seconds", sum.seconds},
            {"seconds_per_image", sum.seconds / n},
            {"denoiser_share", sum.denoiser_seconds / seconds},
            {"classifier_share", sum.classifier_seconds / seconds}}},
          {"gradient_norm", sum.gradient_norm / n},
          {"trace", trace}};
}

/// The first images, large enough to see.
void write_grid(const std::filesystem::path& path, const SampleStore& store) {
  constexpr int64_t kMost = 100;
  constexpr int64_t kMostPoints = 5000;
  if (store.of_points()) {
    if (!report::can_draw()) return;
    const std::vector<SampleRecord> records = store.records();
    std::vector<int64_t> labels;
    labels.reserve(records.size());
    for (const SampleRecord& record : records) labels.push_back(record.label);
    const Tensor points = store.images(0, kMostPoints);
    report::write_drawing(path, draw_points(points, at::tensor(labels, at::kLong).narrow(0, 0, points.size(0))));
    return;
  }
  const Tensor images = store.images(0, kMost);
  if (images.size(0) == 0 || (images.size(3) != 1 && images.size(3) != 3)) return;
  report::GridStyle style;
  style.columns = images.size(0) >= 10 ? 10 : images.size(0);
  style.scale = std::max<int64_t>(1, 64 / std::max(images.size(1), images.size(2)));
  report::write_png(path, report::grid(images, style));
}

/// Of all finished samples, whichever run drew them.
json trace_of(const SampleStore& store) {
  TraceMeans means;
  for (int64_t i = 0; i < store.count(); ++i) {
    if (store.has(i)) means.add(store.trace(i));
  }
  return means.rows();
}

/// The gradient's curve where this build can draw; of an empty trace none, and an earlier run's goes.
void draw_trace(const std::filesystem::path& folder, const json& trace) {
  if (trace.empty()) {
    for (const char* file : {"gradient-norm.svg", "gradient-norm.png"}) std::filesystem::remove(folder / file);
    return;
  }
  if (!report::can_draw()) return;
  report::Chart chart = chart_over_steps("Norm of the guidance gradient", "mean |g|");
  chart.curves = {curve_over_steps(trace, "gradient_norm")};
  chart.curves.front().marks = true;
  report::write_svg_and_png(folder / "gradient-norm", report::draw(chart));
}

}  // namespace

SampleResult result_of(const json& record, int64_t count) {
  SampleResult result;
  result.finished = record.value("finished", int64_t{0});
  result.count = count;
  result.seconds_per_image = record.value("/timings/seconds_per_image"_json_pointer, 0.0);
  result.gradient_norm = record.value("gradient_norm", 0.0);
  return result;
}

json write_results(const SampleConfig& config, const json& settings, const SampleStore& store, const json& weights,
                   const json& files, const SampleFolder& folder) {
  const json trace = trace_of(store);
  json record = record_of(config, settings, store, trace, weights);
  if (files.is_object()) record["files"] = files;
  record["config"].erase("share");  // whoever repeats the run wants all of it
  store.write_npz(folder.npz());
  record["samples_bytes"] = std::filesystem::file_size(folder.npz());
  write_grid(folder.grid(), store);
  draw_trace(folder.path(), trace);
  write_atomically(folder.record(), record.dump(2) + "\n");
  return record;
}

}  // namespace sextant::commands
