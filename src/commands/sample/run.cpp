#include "common/guidance_trace.h"
#include "common/points.h"
#include "common/prompts.h"
#include "common/record.h"
#include "internal/commands/sample.h"
#include "internal/runtime/files.h"
#include "sample/batch_sampler.h"
#include "sample/folder.h"
#include "sample/grow.h"
#include "sample/identity.h"
#include "sextant/report/pictures.h"
#include "sextant/runtime/device.h"
#include "sextant/runtime/error.h"

namespace sextant::commands {

using nlohmann::json;

SampleConfig resolved(SampleConfig config) {
  if (config.model.path.empty())
    throw UsageError("--model is needed: a folder with config.json and weights, or a checkpoint file");
  if (config.guidance.score.empty()) config.guidance.score = config.classifier.path.empty() ? "none" : "plain";
  const bool guided = config.guidance.score != "none";
  if (guided && config.guidance.score.find("none") != std::string::npos) {
    throw UsageError("--guidance '" + config.guidance.score + "' adds none to a score; use none alone");
  }
  if (guided && config.classifier.path.empty())
    throw UsageError("--guidance " + config.guidance.score + " needs a --classifier");
  if (guided && config.guidance.guide.tilt_group > 0 && config.sample.batch % config.guidance.guide.tilt_group != 0) {
    throw UsageError("--batch " + std::to_string(config.sample.batch) + " must be a multiple of --tilt-group " +
                     std::to_string(config.guidance.guide.tilt_group));
  }
  if (config.model.unconditional && config.model.denoiser_label >= 0)
    throw UsageError("--unconditional and --denoiser-label contradict each other");
  if (config.model.unconditional && config.model.cfg_scale != 1) {
    throw UsageError("--cfg-scale needs the model's labels; --unconditional takes them away");
  }
  if (guided) {
    guidance::parse_score(config.guidance.score, config.guidance.terms);
    guidance::check_config(config.guidance.guide);
  }
  Labels(config.sample.labels);
  config.classifier.prompts = resolved_prompts(std::move(config.classifier.prompts));
  OptionTable("sample", sample_options(config)).check();
  return config;
}

namespace {

/// The samples of the batch that begins at `first` which are to be drawn: all, where one cannot be drawn alone.
std::vector<int64_t> to_draw(const SampleStore& store, int64_t first, int64_t batch, Coupling coupling) {
  std::vector<int64_t> all;
  std::vector<int64_t> missing;
  for (int64_t i = first; i < std::min(first + batch, store.count()); ++i) {
    all.push_back(i);
    if (!store.has(i)) missing.push_back(i);
  }
  return coupling == Coupling::kNone || missing.empty() ? missing : all;
}

void draw_missing(const SampleConfig& config, BatchSampler& sampler, SampleStore& store, const SampleFolder& folder,
                  Progress& progress, const Stop& stop) {
  const Coupling coupling = coupling_of(config.guidance);
  progress.begin("sample", static_cast<double>(store.count()), static_cast<double>(store.finished()), "images");
  for (int64_t first = 0; first < store.count() && !stop.requested(); first += config.sample.batch) {
    const std::vector<int64_t> samples = to_draw(store, first, config.sample.batch, coupling);
    if (samples.empty()) continue;
    const auto before = static_cast<double>(store.finished());
    const auto weight =
        static_cast<double>(std::count_if(samples.begin(), samples.end(), [&](int64_t i) { return !store.has(i); }));
    const Batch batch = sampler.draw(samples, [&](double share) { progress.update(before + weight * share); });
    store.put(samples, batch.images, batch.records, batch.traces);
    folder.replace_former();
  }
  progress.end();
}

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

SampleResult result_of(const json& record, int64_t count) {
  SampleResult result;
  result.finished = record.value("finished", int64_t{0});
  result.count = count;
  result.seconds_per_image = record.value("/timings/seconds_per_image"_json_pointer, 0.0);
  result.gradient_norm = record.value("gradient_norm", 0.0);
  return result;
}

/// The first images, large enough to see.
void write_grid(const std::filesystem::path& path, const SampleStore& store) {
  constexpr int64_t kMost = 100;
  constexpr int64_t kMostPoints = 5000;
  if (store.of_points()) {
    if (!report::can_draw()) return;
    const std::vector<SampleRecord> records = store.records();
    std::vector<int64_t> labels;
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

json write_results(const SampleConfig& config, const json& settings, const SampleStore& store, const json& trace,
                   const json& weights, const SampleFolder& folder) {
  const json record = record_of(config, settings, store, trace, weights);
  store.write_npz(folder.npz());
  write_grid(folder.grid(), store);
  draw_trace(folder.path(), trace);
  write_atomically(folder.record(), record.dump(2) + "\n");
  return record;
}

}  // namespace

void check_settings(const SampleConfig& config) { resolved(config); }

SampleResult run_sample(const SampleConfig& given, Progress& progress, const Stop& stop) {
  SampleConfig config = resolved(given);
  const json settings = OptionTable("sample", sample_options(config)).to_json();
  const json identity = identity_of(config);
  if (const std::string note = lone_tilt_note(config); !note.empty()) progress.note(note);
  const SampleFolder folder(config.run.out, identity, config.sample.count, config.run.overwrite);
  const json& former = folder.former();
  if (former.is_object() && former.value("complete", false) &&
      former.value("finished", int64_t{0}) == config.sample.count) {
    std::filesystem::remove(folder.partial());
    SampleResult result = result_of(former, config.sample.count);
    result.there_already = true;
    return result;
  }
  set_threads(static_cast<int>(config.run.threads));
  const SamplingModels models = open_models(config);
  for (const std::string& note : models.weights.notes()) progress.note(note);
  if (models.guide) {
    for (const std::string& note : models.guide->notes) progress.note(note);
  }
  const std::vector<int64_t>& shape = models.image_shape();
  BatchSampler sampler(config, models);
  json record;
  bool complete = false;
  {
    const std::vector<int64_t> stored =
        models.points ? std::vector{shape[0]} : std::vector{shape[1], shape[2], shape[0]};
    SampleStore store(folder.partial(), identity, stored, config.sample.count, sampler.trace_steps() * kTraceNumbers,
                      models.points ? at::kFloat : at::kByte);
    keep_former_images(folder, store, sampler.trace_steps());
    if (store.finished() > 0) folder.replace_former();
    draw_missing(config, sampler, store, folder, progress, stop);
    if (store.finished() > 0)
      record = write_results(config, settings, store, trace_of(store), models.weights.record(), folder);
    complete = store.finished() == store.count();
  }
  if (complete) std::filesystem::remove(folder.partial());
  return result_of(record.is_null() ? json::object() : record, config.sample.count);
}

}  // namespace sextant::commands
