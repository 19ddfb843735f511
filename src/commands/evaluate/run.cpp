#include <c10/util/StringUtil.h>

#include <algorithm>

#include "common/opened_weights.h"
#include "common/placement.h"
#include "common/prompts.h"
#include "common/run_folder.h"
#include "drawing/inputs.h"
#include "evaluate/report.h"
#include "internal/evaluation/metric_rows.h"
#include "internal/evaluation/shared.h"
#include "internal/models/class_names.h"
#include "internal/runtime/text.h"
#include "sextant/evaluation/evaluate.h"
#include "sextant/models/classifier.h"
#include "sextant/runtime/device.h"
#include "sextant/runtime/error.h"

namespace sextant::commands {
namespace {

constexpr const char* kDigitFeatures = "models/mnist-features";
/// As pytorch-fid and torch-fidelity publish Inception's weights.
constexpr const char* kInceptionFiles[] = {"models/pt_inception-2015-12-05-6726825d.pth",
                                           "models/weights-inception-2015-12-05-6726825d.pth"};

using Metrics = std::vector<evaluation::Metric>;
using enum evaluation::MetricReads;

/// Whether one of `metrics`, none standing for all, reads such a thing.
bool reads(const Metrics& metrics, std::initializer_list<evaluation::MetricReads> things) {
  return metrics.empty() || std::any_of(metrics.begin(), metrics.end(), [&](evaluation::Metric metric) {
           return std::find(things.begin(), things.end(), evaluation::row_of(metric).reads) != things.end();
         });
}

bool need_features_of_reference(const Metrics& metrics) { return reads(metrics, {kFeatures}); }
bool need_statistics(const EvaluateConfig& config, const Metrics& metrics) {
  return !config.save_stats.empty() || reads(metrics, {kStatistics});
}

/// Whether only --classifier sees the samples.
bool need_feature_network(const EvaluateConfig& config, const Metrics& metrics) {
  return config.classifier.path.empty() || !config.save_stats.empty() || !config.features.path.empty() ||
         reads(metrics, {kStatistics, kFeatures, kLogits});
}

/// UsageError unless the samples' labels are classes of --classifier.
void check_labels(const evaluation::Embedding& samples, const guidance::Classifier& classifier,
                  const EvaluateConfig& config) {
  if (!samples.labels.defined())
    throw UsageError("--classifier needs labelled samples; " + config.samples + " has no labels");
  const int64_t low = samples.labels.min().item<int64_t>();
  const int64_t high = samples.labels.max().item<int64_t>();
  if (low >= 0 && high < classifier.classes) return;
  throw UsageError(c10::str("classifier ", config.classifier.path, " has classes 0-", classifier.classes - 1, ", ",
                            config.samples, " has label ", low < 0 ? low : high));
}

/// The first image, or with `skip_bad` the first that can be read.
Tensor first_image(const data::ImageSet& images, bool skip_bad) {
  for (int64_t i = 0; skip_bad && i + 1 < images.size(); ++i) {
    try {
      return images.image(i);
    } catch (const DataError&) {
      continue;
    }
  }
  return images.image(skip_bad ? images.size() - 1 : 0);
}

/// --features, or the bundled network where the samples are digits, or Inception's weights where they lie ready.
std::filesystem::path features_of(const EvaluateConfig& config) {
  if (!config.features.path.empty()) return config.features.path;
  const auto images = data::open_images(config.samples, config.embedding.read);
  const Tensor first = first_image(*images, config.embedding.skip_bad);
  const bool digits = first.size(1) == 28 && first.size(2) == 28;
  if (digits && std::filesystem::exists(kDigitFeatures)) return kDigitFeatures;
  for (const char* file : kInceptionFiles) {
    if (!digits && std::filesystem::exists(file)) return file;
  }
  throw UsageError(
      digits ? std::string("--features is needed: the network for 28x28 images, ") + kDigitFeatures +
                   ", is not below this folder"
             : "Inception's weights are missing: put pt_inception-2015-12-05-6726825d.pth (of pytorch-fid) or "
               "weights-inception-2015-12-05-6726825d.pth (of torch-fidelity) into models/, or give the file by "
               "--features");
}

/// What a long run would fail at in the end.
void check(const EvaluateConfig& config) {
  if (config.samples.empty())
    throw UsageError("SAMPLES are needed: an .npz of samples, the folder of a run or a folder of images");
  if (config.reference.empty() && config.save_stats.empty() && needs_reference(config.options.metrics)) {
    throw UsageError(
        "--reference is needed: statistics (.npz) or images to compare with; or --save-stats FILE, or --metrics of is, "
        "accuracy and ece alone");
  }
  if (!config.save_stats.empty()) {
    const std::filesystem::path folder = std::filesystem::absolute(config.save_stats).parent_path();
    check_writable_folder(folder);
  }
  if (!config.run.out.empty()) check_writable_folder(config.run.out);
}

/// The feature network's, else the classifier's.
int64_t channels_of(const EvaluateConfig& config, const evaluation::FeatureExtractor& extractor) {
  if (extractor.network) return extractor.network->channels();
  const models::ClassifierConfig first = models::members_of(config.classifier).front();
  return models::describe(first.path, first.arch).config.value("/model/in_channels"_json_pointer, int64_t{3});
}

guidance::Classifier classifier_of(const EvaluateConfig& config, const evaluation::FeatureExtractor& extractor,
                                   models::Placement placement, Progress& progress) {
  if (config.classifier.path.empty()) return {};
  for (const models::ClassifierConfig& member : models::members_of(config.classifier)) {
    if (!std::filesystem::is_directory(member.path)) continue;  // a bare file says nothing of what it judges
    if (!models::predicts_attributes(models::description_of(member).config)) continue;
    throw UsageError("--classifier " + member.path +
                     " judges attributes, which are no labels to compare with; give a classifier of classes");
  }
  return models::open_classifier(config.classifier, placement, {.channels = channels_of(config, extractor)},
                                 [&](const std::string& line) { progress.note("note: " + line); });
}

/// Of --classifier; without one the feature network's are taken.
data::NetworkClasses classes_of(const EvaluateConfig& config, const guidance::Classifier& classifier) {
  if (!classifier) return {};
  if (!config.classifier.prompts.targets.empty()) return {classifier.classes, config.classifier.prompts.targets};
  const models::Description first = models::description_of(models::members_of(config.classifier).front());
  return {classifier.classes, models::class_names_of(first.config)};
}

/// What the numbers depend on, as far as it is quickly known.
nlohmann::json identity_of(EvaluateConfig& config, const OpenedWeights& weights, const data::ImageSet& images) {
  nlohmann::json settings = OptionTable("evaluate", evaluate_options(config)).to_json();
  for (const char* own : {"out", "format", "threads", "quiet", "device"}) settings["evaluate"].erase(own);
  std::vector<std::string> models = split(config.classifier.path, ',');
  models.push_back(config.features.path);
  return {{"settings", settings},
          {"weights", with_settings_of(models, weights.record())},
          {"images", images.size()},
          {"labels", images.labels().defined() ? images.labels().sum().item<int64_t>() : 0}};
}

EvaluateResult evaluated(EvaluateConfig& config, distributed::Group& group, Progress& progress, const Stop& stop) {
  place(config.run);
  set_threads(static_cast<int>(config.run.threads));
  const models::Placement placement = placement_of(config.run, {config.classifier.precision});
  evaluation::EvaluateOptions options = config.options;
  const OpenedWeights weights;
  evaluation::FeatureExtractor extractor;
  if (need_feature_network(config, options.metrics)) {
    evaluation::FeatureConfig features = config.features;
    features.path = features_of(config);
    extractor = evaluation::open_extractor(features, options.protocol, weights.as("features", placement));
  }

  evaluation::EmbedOptions embedding = config.embedding;
  embedding.device = placement.device;
  embedding.need_statistics = need_statistics(config, options.metrics);
  embedding.classifier = classifier_of(config, extractor, weights.as("classifier", placement), progress);
  for (const std::string& note : weights.notes()) progress.note(note);
  options.judge_name = config.classifier.path;
  embedding.read.classes = classes_of(config, embedding.classifier);
  embedding.read.channels = channels_of(config, extractor);
  // Files need not be of one size where the classifier is asked to see one.
  const bool sized = embedding.read.size > 0 || embedding.read.crop > 0 || embedding.resize;
  if (!extractor.network && !sized && std::filesystem::is_directory(config.samples))
    embedding.read.size = config.classifier.size;
  const auto images = evaluation::open_images_for(extractor, config.samples, embedding.read);
  for (const std::string& line : images->notes()) progress.note("note: " + line);
  agree(group, identity_of(config, weights, *images));
  options.labels_unsure = images->naming() == data::Naming::kSorted;
  auto samples = evaluation::embed(*images, config.samples, extractor, embedding, group, progress, stop);
  if (!samples) return {};
  if (!config.save_stats.empty() && group.leads()) {
    evaluation::save_statistics(config.save_stats,
                                evaluation::statistics_of(*samples, extractor, /*with_features=*/false));
  }
  if (config.reference.empty() && needs_reference(options.metrics)) {
    return {true, std::nullopt, std::move(samples), std::nullopt};
  }

  evaluation::Embedding reference;
  if (!config.reference.empty() && needs_reference(options.metrics)) {
    const int64_t dimensions = samples->features.defined() ? samples->features.size(1) : 0;
    const evaluation::ReferenceOptions wanted{need_features_of_reference(options.metrics), !config.no_cache,
                                              dimensions};
    auto opened = evaluation::open_reference(config.reference, extractor, embedding, wanted, group, progress, stop);
    if (!opened) return {};
    reference = std::move(*opened);
  }
  if (embedding.classifier) check_labels(*samples, embedding.classifier, config);
  auto evaluation = evaluation::evaluate(*samples, reference, extractor, options, group, progress, stop);
  if (!evaluation) return {};
  if (!config.run.out.empty() && group.leads()) write_evaluation(config, *evaluation, weights.record());
  return {true, std::move(evaluation), std::move(samples), std::move(reference)};
}

}  // namespace

bool needs_reference(const std::vector<evaluation::Metric>& metrics) {
  return reads(metrics, {kStatistics, kFeatures});
}

EvaluateResult run_evaluate(const EvaluateConfig& given, Progress& progress, const Stop& stop) {
  EvaluateConfig config = given;
  config.classifier.prompts = resolved_prompts(std::move(config.classifier.prompts));
  check(config);
  const std::unique_ptr<distributed::Group> group = group_of(config.run);
  EvaluateResult result;
  group->run([&] { result = evaluated(config, *group, progress, stop); });
  return result;
}

}  // namespace sextant::commands
