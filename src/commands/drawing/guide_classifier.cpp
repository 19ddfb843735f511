#include "drawing/guide_classifier.h"

#include <c10/util/StringUtil.h>

#include <algorithm>
#include <filesystem>

#include "common/attributes.h"
#include "internal/models/class_names.h"
#include "internal/models/mixture.h"
#include "sextant/classifiers/wrappers.h"
#include "sextant/models/classifier.h"
#include "sextant/runtime/error.h"

namespace sextant::commands {
namespace {

/// Whether the classifier reads a latent model's latents themselves.
bool classifies_latents(const SampleConfig& config, const models::DiffusionModel& model,
                        const std::optional<models::Decoder>& decoder) {
  if (!decoder) {
    if (config.guidance.space != GuidanceSpace::kLatent) return false;
    throw UsageError("--guidance-space latent: " + config.model.path + " draws images, not latents");
  }
  if (config.guidance.space != GuidanceSpace::kAuto) return config.guidance.space == GuidanceSpace::kLatent;
  if (!std::filesystem::is_directory(config.classifier.path)) return false;  // named architectures are of images
  const auto channels =
      models::describe(config.classifier.path, "").config.value("/model/in_channels"_json_pointer, int64_t{3});
  return channels == model.sample_shape[0] && channels != decoder->image_shape[0];
}

void check_classes(const SampleConfig& config, const models::DiffusionModel& model, const GuideClassifier& guide) {
  if (guide.attributes) return;  // the labels are the model's own
  const bool by_label = !config.model.unconditional && config.model.denoiser_label < 0;
  if (!by_label || model.classes == 0) return;
  const int64_t classes = guide.classifier.classes;
  if (guide.targets > 0) {
    throw UsageError("--prompts are no classes of model " + config.model.path + ", which has " +
                     std::to_string(model.classes) +
                     "; give --unconditional or one --denoiser-label for all images, or a model without classes");
  }
  if (model.classes != classes) {
    throw UsageError(
        "classifier " + config.classifier.path + " has " + std::to_string(classes) + " classes but model " +
        config.model.path + " has " + std::to_string(model.classes) +
        "; pass a --classifier of the model's classes ('sextant inspect FILE' shows them), or --unconditional");
  }
}

void check_time(const SampleConfig& config, const models::DiffusionModel& model,
                const guidance::Classifier& classifier) {
  if (!classifier.uses_time) return;
  if (config.guidance.guide.input != guidance::Input::kNoisy) {
    throw UsageError("classifier " + config.classifier.path +
                     " is noise-aware: it reads x_t at time t; give --guidance-input xt");
  }
  const bool by_levels = model.counts() == diffusion::Counts::kNoiseLevels;
  if (models::reads_noise_levels(config.classifier) == by_levels) return;
  throw UsageError(
      "classifier " + config.classifier.path +
      (by_levels ? " knows discrete timesteps, " : " is a mixture that knows noise levels, ") + config.model.path +
      (by_levels ? " draws by noise levels" : " draws by timesteps; give its config.json the model's \"diffusion\""));
}

}  // namespace

std::optional<std::vector<std::string>> attributes_of(const SampleConfig& config) {
  const std::vector<models::ClassifierConfig> members = models::members_of(config.classifier);
  const nlohmann::json described = models::description_of(members.front()).config;
  const bool some = std::any_of(members.begin(), members.end(), [](const models::ClassifierConfig& member) {
    return std::filesystem::is_directory(member.path) &&  // a bare file says nothing of what it judges
           models::predicts_attributes(models::description_of(member).config);
  });
  if (some && members.size() > 1) {
    throw UsageError("--classifier " + config.classifier.path +
                     ": several classifiers are averaged as classes are, which attributes are not; give one of them");
  }
  if (some && config.guidance.guide.entropy_driven) {
    throw UsageError("--entropy-driven: it divides by the entropy of classes, and " + config.classifier.path +
                     " judges attributes; leave it out, or add entropy to --guidance");
  }
  if (!some) {
    if (config.guidance.attributes.empty() && config.guidance.attribute_weights.empty()) return std::nullopt;
    throw UsageError("--attributes: classifier " + config.classifier.path +
                     " answers with classes; the config.json of one of attributes says \"predicts\": \"attributes\"");
  }
  const std::vector<std::string> names = models::class_names_of(described);
  if (names.empty()) {
    throw UsageError(config.classifier.path + ": its config.json names no attributes; list them as \"classes\"");
  }
  if (config.guidance.attributes.empty()) {
    throw UsageError("classifier " + config.classifier.path +
                     " judges attributes; say which with --attributes, such as \"" + names.front() + "=1\"");
  }
  return names;
}

GuideClassifier open_guide_classifier(const SampleConfig& config, const models::DiffusionModel& model,
                                      const std::optional<models::Decoder>& decoder, models::Placement placement) {
  const bool reads_latents = classifies_latents(config, model, decoder);
  const bool decodes = decoder && !reads_latents;
  if (decodes && config.guidance.guide.input == guidance::Input::kNoisy) {
    throw UsageError("--guidance-input xt: " + config.model.path + " is noisy in its latents, where " +
                     config.classifier.path +
                     " cannot read images; give a classifier of latents and --guidance-space latent");
  }
  const std::vector<int64_t> seen = decodes ? decoder->image_shape : model.sample_shape;
  GuideClassifier guide;
  models::ClassifierConfig classifier = config.classifier;
  classifier.noisy = config.guidance.guide.input == guidance::Input::kNoisy;
  const auto note = [&](const std::string& line) { guide.notes.push_back("note: " + line); };
  guide.classifier = models::open_classifier(classifier, placement, {seen[0], seen[1]}, note);
  guide.targets = static_cast<int64_t>(config.classifier.prompts.targets.size());
  if (const auto names = attributes_of(config)) {
    guide.attributes = true;
    const Tensor answers = parse_attributes(config.guidance.attributes, *names, note);
    if (answers.size(0) > 1 && answers.size(0) < config.sample.count) {
      note(c10::str(config.guidance.attributes, " has lines for ", answers.size(0), " of ", config.sample.count,
                    " images: they are taken in turn"));
    }
    if (answers.size(0) > config.sample.count) {
      note(c10::str(config.guidance.attributes, " has lines for ", answers.size(0), " images, of which the first ",
                    config.sample.count, " are drawn"));
    }
    const std::vector<double> weights = parse_attribute_weights(config.guidance.attribute_weights, *names);
    for (std::size_t k = 0; k < weights.size(); ++k) {
      const bool asked = answers.select(1, static_cast<int64_t>(k)).ne(0).any().item<bool>();
      if (asked || weights[k] == 1) continue;
      note("--attribute-weights: " + (*names)[k] + " is not asked for, so its weight does nothing");
    }
    guide.classifier = classifiers::asked(std::move(guide.classifier), answers);
  }
  check_classes(config, model, guide);
  check_time(config, model, guide.classifier);
  if (decodes) guide.classifier = classifiers::latent(std::move(guide.classifier), decoder->decode);
  return guide;
}

}  // namespace sextant::commands
