#include <iostream>

#include "common/placement.h"
#include "common/prompts.h"
#include "drawing/batch_sampler.h"
#include "drawing/fitting_sampler.h"
#include "drawing/guidance_trace.h"
#include "drawing/identity.h"
#include "drawing/inputs.h"
#include "internal/commands/sample.h"
#include "internal/runtime/json_file.h"
#include "sample/assemble.h"
#include "sample/burst.h"
#include "sample/folder.h"
#include "sample/grow.h"
#include "sample/results.h"
#include "sample/share.h"
#include "sample/writer.h"
#include "sextant/runtime/device.h"
#include "sextant/runtime/error.h"

namespace sextant::commands {

using nlohmann::json;

std::string guidance_of(const SampleConfig& config) {
  if (!config.guidance.guidance.empty()) return config.guidance.guidance;
  return config.classifier.path.empty() ? kNoGuidance : "plain";
}

SampleConfig resolved(SampleConfig config) {
  if (config.model.path.empty())
    throw UsageError("--model is needed: a folder with config.json and weights, or a checkpoint file");
  config.guidance.guidance = guidance_of(config);
  const bool guided = !config.guidance.none();
  if (guided && config.guidance.guidance.find(kNoGuidance) != std::string::npos) {
    throw UsageError("--guidance '" + config.guidance.guidance + "' adds none to a score; use none alone");
  }
  if (guided && config.classifier.path.empty())
    throw UsageError("--guidance " + config.guidance.guidance + " needs a --classifier");
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
    guidance::parse_score(config.guidance.guidance, config.guidance.terms);
    guidance::check_config(config.guidance.guide);
  }
  static_cast<void>(Labels(config.sample.labels));  // throws for what is no label
  resolve_device(config.run);
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

/// "images 4 to 5, 14 to 15"
std::string named(const std::vector<int64_t>& samples) {
  std::string name = "images ";
  for (std::size_t first = 0, last = 0; first < samples.size(); first = ++last) {
    while (last + 1 < samples.size() && samples[last + 1] == samples[last] + 1) ++last;
    name += (first == 0 ? "" : ", ") + std::to_string(samples[first]) + " to " + std::to_string(samples[last]);
  }
  return name;
}

/// Returns the batches that burst; where that is hopeless, the rest is not tried.
BurstBatches draw_missing(const SampleConfig& config, BatchSampler& sampler, SampleStore& store,
                          const SampleFolder& folder, Progress& progress, const Stop& stop) {
  // What is missing is known before the writer has the store to itself.
  struct Missing {
    std::vector<int64_t> samples;
    std::vector<int64_t> fresh;  ///< of which are not there yet
  };
  std::vector<Missing> batches;
  for (int64_t first = 0; first < store.count(); first += config.sample.batch) {
    Missing batch{to_draw(store, first, config.sample.batch, coupling_of(config.guidance)), {}};
    for (const int64_t i : batch.samples) {
      if (!store.has(i)) batch.fresh.push_back(i);
    }
    if (!batch.samples.empty()) batches.push_back(std::move(batch));
  }
  int64_t done = store.finished();
  progress.begin("sample", static_cast<double>(store.count()), static_cast<double>(done), "images");
  FittingSampler fitting(sampler, config, progress);
  BatchWriter writer(store, folder);
  BurstBatches burst;
  for (const Missing& batch : batches) {
    if (stop.requested() || burst.hopeless(done / config.sample.batch)) break;
    const auto fresh = static_cast<int64_t>(batch.fresh.size());
    const auto heard = [&](double share) {
      progress.update(static_cast<double>(done) + static_cast<double>(fresh) * share);
    };
    try {
      Batch images = fitting.draw(batch.samples, heard);
      done += fresh;
      writer.write(batch.samples, std::move(images));
    } catch (const NumericError& error) {
      // It numbers an image within its batch; whoever reads of it wants to know which batch that is.
      progress.note("note: " + named(batch.fresh) + " are left out: " + error.what());
      burst.add(named(batch.fresh), error.what());
    }
  }
  writer.finish();
  progress.end();
  return burst;
}

}  // namespace

void check_settings(const SampleConfig& config) { resolved(config); }

SampleResult run_sample(const SampleConfig& given, Progress& progress, const Stop& stop) {
  SampleConfig config = resolved(given);
  const json settings = OptionTable("sample", sample_options(config)).to_json();
  const json identity = identity_of(config);
  if (const std::string note = lone_tilt_note(config); !note.empty()) progress.note(note);
  SampleFolder folder(config.run.out, identity, config.sample.count, config.run.overwrite);
  const json& former = folder.former();
  const auto there = [&] { return former_run(folder).images() == config.sample.count; };
  const json files = files_of(config);
  if (there() && !same_files(former.value("files", json()), files)) {
    // Another file may hold the same weights: what they are is seen when they are open.
    place(config.run);
    set_threads(static_cast<int>(config.run.threads));
    folder.agree_on_inputs(inputs_of(config, open_models(config).weights.record()), config.run.overwrite);
  }
  const std::filesystem::path batches = folder.batches();
  remove_batches_put_together(batches, identity, former_run(folder).images(), config.share.lease);
  if (there()) {
    std::filesystem::remove(folder.partial());
    std::filesystem::remove_all(batches.string() + ".done");  // of a process that was killed meanwhile
    SampleResult result = read_entries(folder.record(), [&] { return result_of(former, config.sample.count); });
    result.there_already = true;
    return result;
  }
  const Share share = share_of(config);
  place(config.run);
  set_threads(static_cast<int>(config.run.threads));
  if (!share.alone()) {
    const std::unique_ptr<Progress> silent = make_progress(ProgressStyle::kQuiet, std::cerr);
    Progress& told = share.leads ? progress : *silent;
    const auto open = [&] {
      const SamplingModels models = open_models(config);
      const json inputs = inputs_of(config, models.weights.record());
      folder.agree_on_inputs(inputs, config.run.overwrite);
      const auto sampler = std::make_shared<BatchSampler>(config, models);
      const auto fitting = std::make_shared<FittingSampler>(*sampler, config, told);
      const auto draw = [sampler, fitting](const auto& samples, const auto& heard) {
        return fitting->draw(samples, heard);
      };
      return Opened{draw, inputs};
    };
    return draw_share(config, settings, files, share, folder, open, told, stop);
  }
  folder.check_batches(identity, config.run.overwrite);
  const SamplingModels models = open_models(config);
  const json inputs = inputs_of(config, models.weights.record());
  folder.agree_on_inputs(inputs, config.run.overwrite);
  for (const std::string& note : models.weights.notes()) progress.note(note);
  if (const std::string note = idle_interval_note(config, models.denoiser); !note.empty()) progress.note(note);
  if (models.guide) {
    for (const std::string& note : models.guide->notes) progress.note(note);
  }
  const std::vector<int64_t>& shape = models.image_shape();
  BatchSampler sampler(config, models);
  json record;
  BurstBatches burst;
  bool complete = false;
  {
    const std::vector<int64_t> stored =
        models.points ? std::vector{shape[0]} : std::vector{shape[1], shape[2], shape[0]};
    json drawn_with = identity;
    drawn_with["weights"] = inputs;
    SampleStore store(folder.partial(), drawn_with, stored, config.sample.count, sampler.trace_steps() * kTraceNumbers,
                      models.points ? at::kFloat : at::kByte);
    keep_former_images(former_run(folder), store, sampler.trace_steps());
    keep_finished_batches(batches, config, inputs, store, progress);
    if (store.finished() > 0) folder.replace_former();
    burst = draw_missing(config, sampler, store, folder, progress, stop);
    if (store.finished() > 0) record = write_results(config, settings, store, inputs, files, folder);
    complete = store.finished() == store.count();
  }
  if (complete) {
    std::filesystem::remove(folder.partial());
    remove_batches_put_together(batches, identity, config.sample.count, config.share.lease);
  }
  const SampleResult result = result_of(record.is_null() ? json::object() : record, config.sample.count);
  if (!stop.requested())
    burst.raise("", std::to_string(result.finished) + " of " + std::to_string(result.count) + " images are kept");
  return result;
}

}  // namespace sextant::commands
