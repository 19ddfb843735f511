#include "sample/guide_classifier.h"

#include <c10/util/StringUtil.h>

#include <filesystem>

#include "common/prompts.h"
#include "internal/runtime/text.h"
#include "sextant/models/classifier.h"
#include "sextant/runtime/error.h"

namespace sextant::commands {
namespace {

/// Whether the classifier reads a latent model's latents themselves.
bool classifies_latents(const SampleConfig& config, const models::DiffusionModel& model, const Decoder& decoder) {
  if (!decoder.decode) {
    if (config.guidance.space != GuidanceSpace::kLatent) return false;
    throw UsageError("--guidance-space latent: " + config.model.path + " draws images, not latents");
  }
  if (config.guidance.space != GuidanceSpace::kAuto) return config.guidance.space == GuidanceSpace::kLatent;
  if (!std::filesystem::is_directory(config.classifier.path)) return false;  // named architectures are of images
  const auto channels =
      models::describe(config.classifier.path, "").config.value("/model/in_channels"_json_pointer, int64_t{3});
  return channels == model.sample_shape()[0] && channels != decoder.image_shape[0];
}

/// For a classifier of images [C, H, W]; `notes` hear of prompts that were cut.
models::ClassifierOptions options_of(const SampleConfig& config, const std::vector<int64_t>& image_shape,
                                     std::vector<std::string>& notes) {
  models::ClassifierOptions options;
  options.input = config.classifier.input;
  options.input_size = config.classifier.size;
  options.resize = config.classifier.resize;
  options.softplus_beta = config.classifier.softplus_beta;
  options.channels = image_shape[0];
  options.image_size = image_shape[1];
  options.cutouts.count = config.classifier.cutouts;
  options.cutouts.min_share = config.classifier.cutout_min;
  options.prompts.targets = split_prompts(config.classifier.prompts);
  options.prompts.contrast = split_prompts(config.classifier.contrast);
  if (options.prompts.targets.empty() && !options.prompts.contrast.empty()) {
    throw UsageError("--contrast needs --prompts: what the images are to be, beside what they are not to be");
  }
  options.prompts.vocabulary = config.classifier.vocabulary;
  options.prompts.strict = config.classifier.strict;
  options.warn = [&notes](const std::string& line) { notes.push_back("note: " + line); };
  return options;
}

/// --classifier and --classifier-arch, one by one: a path that is there whole is one, whatever commas it has.
std::vector<std::pair<std::string, std::string>> members_of(const SampleConfig& config) {
  std::vector<std::string> paths = split(config.classifier.path, ',');
  if (std::filesystem::exists(config.classifier.path)) paths = {config.classifier.path};
  const std::vector<std::string> archs = split(config.classifier.arch, ',');
  if (archs.size() != 1 && archs.size() != paths.size()) {
    throw UsageError(c10::str("--classifier-arch names ", archs.size(), " architectures for ", paths.size(),
                              " classifiers; give one for all, or one each"));
  }
  std::vector<std::pair<std::string, std::string>> members;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    if (paths[i].empty()) throw UsageError("--classifier '" + config.classifier.path + "' names an empty path");
    members.emplace_back(paths[i], archs.size() == 1 ? archs[0] : archs[i]);
  }
  return members;
}

void check_classes(const SampleConfig& config, const models::DiffusionModel& model, const GuideClassifier& guide) {
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
  if (!model.noise) {
    throw UsageError("classifier " + config.classifier.path + " knows discrete timesteps, " + config.model.path +
                     " draws by noise levels");
  }
}

}  // namespace

GuideClassifier open_guide_classifier(const SampleConfig& config, const models::DiffusionModel& model,
                                      const Decoder& decoder, models::Placement placement) {
  const bool reads_latents = classifies_latents(config, model, decoder);
  const bool decodes = decoder.decode && !reads_latents;
  if (decodes && config.guidance.guide.input == guidance::Input::kNoisy) {
    throw UsageError("--guidance-input xt: " + config.model.path + " is noisy in its latents, where " +
                     config.classifier.path +
                     " cannot read images; give a classifier of latents and --guidance-space latent");
  }
  GuideClassifier guide;
  const models::ClassifierOptions options =
      options_of(config, decodes ? decoder.image_shape : model.sample_shape(), guide.notes);
  std::vector<guidance::Classifier> members;
  for (const auto& [path, arch] : members_of(config)) {
    members.push_back(models::open_classifier(path, arch, options, placement));
  }
  guide.classifier = classifiers::ensemble(std::move(members));
  guide.targets = static_cast<int64_t>(options.prompts.targets.size());
  check_classes(config, model, guide);
  check_time(config, model, guide.classifier);
  if (decodes) guide.classifier = classifiers::latent(std::move(guide.classifier), decoder.decode);
  return guide;
}

}  // namespace sextant::commands
