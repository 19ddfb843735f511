#include "sample/classifier_cast.h"

#include <c10/util/StringUtil.h>

#include "common/prompts.h"
#include "internal/runtime/text.h"
#include "sextant/runtime/error.h"

namespace sextant::commands {
namespace {

/// A classifier of images, given the latents of an autoencoder.
class LatentClassifier : public guidance::Classifier {
 public:
  LatentClassifier(std::shared_ptr<const guidance::Classifier> classifier, std::function<Tensor(const Tensor&)> decode)
      : classifier_(std::move(classifier)), decode_(std::move(decode)) {}
  Tensor logits(const Tensor& x, const Tensor& t) const override { return classifier_->logits(decode_(x), t); }
  int64_t num_classes() const override { return classifier_->num_classes(); }

 private:
  std::shared_ptr<const guidance::Classifier> classifier_;
  std::function<Tensor(const Tensor&)> decode_;
};

models::ClassifierOptions options_of(const SampleConfig& config, Cast& cast) {
  models::ClassifierOptions options;
  options.input = config.classifier.input;
  options.input_size = config.classifier.size;
  options.resize = config.classifier.resize;
  options.softplus_beta = config.classifier.softplus_beta;
  options.channels = cast.image_shape[0];
  options.image_size = cast.image_shape[1];
  options.cutouts.count = config.classifier.cutouts;
  options.cutouts.min_share = config.classifier.cutout_min;
  options.streams = cast.streams = std::make_shared<models::SampleStreams>();
  options.prompts.targets = split_prompts(config.classifier.prompts);
  options.prompts.contrast = split_prompts(config.classifier.contrast);
  if (options.prompts.targets.empty() && !options.prompts.contrast.empty()) {
    throw UsageError("--contrast needs --prompts: what the images are to be, beside what they are not to be");
  }
  options.prompts.vocabulary = config.classifier.vocabulary;
  options.prompts.strict = config.classifier.strict;
  options.warn = [&cast](const std::string& line) { cast.notes.push_back("note: " + line); };
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

void check_classes(const SampleConfig& config, const Cast& cast) {
  const bool by_label = !config.model.unconditional && config.model.denoiser_label < 0;
  if (!by_label || cast.model_classes == 0) return;
  const int64_t classes = cast.classifier->num_classes();
  if (cast.guide_targets > 0) {
    throw UsageError("--prompts are no classes of model " + config.model.path + ", which has " +
                     std::to_string(cast.model_classes) +
                     "; give --unconditional or one --denoiser-label for all images, or a model without classes");
  }
  if (cast.model_classes != classes) {
    throw UsageError(
        "classifier " + config.classifier.path + " has " + std::to_string(classes) + " classes but model " +
        config.model.path + " has " + std::to_string(cast.model_classes) +
        "; pass a --classifier of the model's classes ('sextant inspect FILE' shows them), or --unconditional");
  }
}

void check_time(const SampleConfig& config, const Cast& cast) {
  if (!cast.classifier->uses_time()) return;
  if (config.guidance.guide.input != guidance::Input::kNoisy) {
    throw UsageError("classifier " + config.classifier.path +
                     " is noise-aware: it reads x_t at time t; give --guidance-input xt");
  }
  if (!cast.denoiser) {
    throw UsageError("classifier " + config.classifier.path + " knows discrete timesteps, " + config.model.path +
                     " draws by noise levels");
  }
}

}  // namespace

void open_guide_classifier(const SampleConfig& config, models::Placement placement, Cast& cast) {
  const models::ClassifierOptions options = options_of(config, cast);
  std::vector<models::ClassifierPtr> members;
  for (const auto& [path, arch] : members_of(config)) {
    members.push_back(models::open_classifier(path, arch, options, placement));
  }
  cast.classifier = models::ensemble(std::move(members));
  cast.guide_targets = static_cast<int64_t>(options.prompts.targets.size());
  check_classes(config, cast);
  check_time(config, cast);
  if (cast.decode) cast.classifier = std::make_shared<LatentClassifier>(cast.classifier, cast.decode);
}

}  // namespace sextant::commands
