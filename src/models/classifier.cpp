#include "sextant/models/classifier.h"

#include <c10/util/StringUtil.h>

#include "internal/models/mixture.h"
#include "internal/models/registry.h"
#include "internal/runtime/text.h"
#include "prompts.h"
#include "sextant/models/denoiser.h"
#include "sextant/runtime/error.h"

namespace sextant::models {

namespace fs = std::filesystem;
using classifiers::Cutouts;
using classifiers::InputConvention;
using nlohmann::json;

namespace {

using Warn = std::function<void(const std::string&)>;

/// A classifier of its own input and the side that its images must have, 0 for any.
struct Core {
  guidance::Classifier classifier;
  int64_t size = 0;
};

/// From the diffusion model's pixels to the classifier's: size, then range, as many times as there are cut-outs.
guidance::Classifier behind(Core core, const InputConvention& convention, Cutouts cutouts = {}) {
  const int64_t size = convention.size > 0 ? convention.size : core.size;
  guidance::Classifier classifier = classifiers::normalised(std::move(core.classifier), convention);
  if (cutouts.count > 0) {
    cutouts.size = size;
    cutouts.resize = convention.resize;
    return classifiers::cut_out(std::move(classifier), cutouts);
  }
  return size > 0 ? classifiers::sized(std::move(classifier), size, convention.resize) : classifier;
}

Core core_of(const fs::path& path, const std::string& type, const std::shared_ptr<const networks::Network>& network,
             const Prompts& prompts, const Warn& warn) {
  if (const auto clip = std::dynamic_pointer_cast<const networks::Clip>(network)) {
    const Tensor tokens = prompt_tokens(prompts, clip->context_length(), warn);
    return {classifiers::prompted(clip, tokens), clip->image_resolution()};
  }
  const auto classifier = std::dynamic_pointer_cast<const networks::ClassifierNetwork>(network);
  if (!classifier) throw CheckpointError(path.string() + ": a network of type '" + type + "' is no classifier");
  if (!prompts.targets.empty()) {
    throw UsageError("prompts: " + path.string() + " is of type '" + type +
                     "', whose classes are fixed; only CLIP's are texts");
  }
  return {classifiers::of_network(classifier), classifier->image_size()};
}

/// The "model" object with softplus in place of every ReLU.
json smoothed(json config, double softplus_beta, const fs::path& path) {
  if (softplus_beta <= 0) return config;
  json& model = config["model"];
  model["softplus_beta"] = softplus_beta;
  if (networks::family_of(config).open) return config;  // looks for ReLUs itself
  try {
    build(config);
  } catch (const CheckpointError&) {
    throw UsageError(path.string() + ": a network of type '" + config.at("type").get<std::string>() +
                     "' has no ReLU to smooth; leave softplus-beta at 0");
  }
  return config;
}

/// What a network that says nothing of its input is tried with.
json with_input_shape(json config, ImageSize images) {
  if (!networks::family_of(config).open) return config;
  const auto fill = [&](const char* key, int64_t value) {
    if (value > 0 && !config["model"].contains(key)) config["model"][key] = value;
  };
  fill("in_channels", images.channels);
  fill("image_size", images.side);
  return config;
}

void check_channels(const fs::path& path, const json& config, ImageSize images) {
  const auto expected = config.value("/model/in_channels"_json_pointer, int64_t{3});
  const bool of_points = is_mixture(config);
  // A network's images may be of any side, a mixture's points are of one pixel.
  if (images.channels <= 0 || (expected == images.channels && (!of_points || images.side <= 1))) return;
  throw UsageError(path.string() + ": the classifier takes " + points_or_images(expected, of_points) +
                   ", the diffusion model draws " + points_or_images(images.channels, images.side == 1));
}

/// A mixture's posterior reads points as they are.
guidance::Classifier open_posterior(const ClassifierConfig& config, const Description& description,
                                    Placement placement) {
  const bool of_pixels =
      config.cutouts.count > 0 || config.size > 0 || config.resize || config.input != ClassifierInput::kConfig;
  if (config.softplus_beta > 0 || !config.prompts.targets.empty() || of_pixels) {
    throw UsageError(config.path +
                     ": a mixture has no ReLU, no prompts and no pixels; leave softplus-beta, prompts, cutouts, "
                     "classifier-input, classifier-size and classifier-resize out");
  }
  const diffusion::Mixture mixture = open_mixture(description, placement.device);
  if (!config.noisy) return diffusion::mixture_classifier(mixture);
  const json& described = description.config;
  if (!described.contains("diffusion")) return diffusion::mixture_classifier(mixture, diffusion::SigmaRange{});
  return diffusion::mixture_classifier(mixture, diffusion::Process(process_config(described["diffusion"])));
}

/// The one classifier that `config` names.
guidance::Classifier open_one(const ClassifierConfig& config, Placement placement, ImageSize images, const Warn& warn) {
  if (config.precision) placement.precision = dtype_of(*config.precision);
  const fs::path path = config.path;
  Description description = description_of(config);
  if (is_mixture(description.config)) {
    check_channels(path, description.config, images);
    const guidance::Classifier posterior = open_posterior(config, description, placement);
    return classifiers::calibrated(posterior, classifiers::rescaling_of(description.config, posterior.classes));
  }
  const ImageSize tried = {images.channels, config.size > 0 ? config.size : images.side};
  description.config = with_input_shape(smoothed(description.config, config.softplus_beta, path), tried);
  const auto network = open_network(description, placement);
  const auto channels = description.config.value("/model/in_channels"_json_pointer, int64_t{3});
  const bool of_images = channels == 1 || channels == 3;
  const bool silent = config.input == ClassifierInput::kConfig && !description.config.contains("input");
  Core core = core_of(path, description.config.at("type").get<std::string>(), network, config.prompts, warn);
  core.classifier =
      classifiers::calibrated(core.classifier, classifiers::rescaling_of(description.config, core.classifier.classes));
  check_channels(path, description.config, images);
  if (silent && of_images && !core.classifier.uses_time && warn) {
    warn(path.string() + ": nothing says which input this classifier was trained with; it gets pixels in [-1, 1] as " +
         "they are, which is the classifier-input raw");
  }
  InputConvention convention = input_convention(config.input, description.config, config.size);
  const int64_t seen = convention.size > 0 ? convention.size : core.size;
  if (config.resize && config.cutouts.count == 0 && warn && (seen == 0 || seen == images.side)) {
    warn(path.string() + ": classifier-resize changes nothing, as images are not resized for this classifier" +
         (seen == 0 ? "; classifier-size does that" : ""));
  }
  if (config.resize) convention.resize = *config.resize;
  return behind(std::move(core), convention, config.cutouts);
}

}  // namespace

guidance::Classifier as_classifier(std::shared_ptr<const networks::ClassifierNetwork> network,
                                   const InputConvention& convention) {
  if (!network) throw UsageError("classifier: expected a network, got none");
  const int64_t size = network->image_size();
  return behind({classifiers::of_network(std::move(network)), size}, convention);
}

std::vector<ClassifierConfig> members_of(const ClassifierConfig& config) {
  std::vector<std::string> paths = split(config.path, ',');
  if (fs::exists(config.path)) paths = {config.path};
  const auto each = [&](const char* setting, const std::string& text, const char* what) {
    const std::vector<std::string> words = split(text, ',');
    if (words.size() == 1) return std::vector<std::string>(paths.size(), words[0]);
    if (words.size() == paths.size()) return words;
    throw UsageError(c10::str(setting, " names ", words.size(), " ", what, " for ", paths.size(),
                              " classifiers; give one for all, or one each"));
  };
  const std::vector<std::string> archs = each("classifier-arch", config.arch, "architectures");
  const std::vector<std::string> groups = each("classifier-weights", config.weights, "groups");
  const std::vector<std::string> prefixes = each("classifier-prefix", config.prefix, "prefixes");
  std::vector<ClassifierConfig> members(paths.size(), config);
  for (std::size_t i = 0; i < paths.size(); ++i) {
    if (paths[i].empty()) throw UsageError("classifier '" + config.path + "' names an empty path");
    members[i].path = paths[i];
    members[i].arch = archs[i];
    members[i].weights = groups[i];
    members[i].prefix = prefixes[i];
  }
  return members;
}

Description description_of(const ClassifierConfig& member) {
  return describe(member.path, member.arch, {member.weights, member.prefix});
}

guidance::Classifier open_classifier(const ClassifierConfig& config, Placement placement, ImageSize images,
                                     const Warn& warn) {
  if (config.prompts.targets.empty() && !config.prompts.contrast.empty()) {
    throw UsageError("contrast needs prompts: what the images are to be, beside what they are not to be");
  }
  ClassifierConfig::kSize.check("classifier", "classifier-size", static_cast<double>(config.size));
  ClassifierConfig::kSoftplusBeta.check("classifier", "softplus-beta", config.softplus_beta);
  std::vector<guidance::Classifier> members;
  for (const ClassifierConfig& member : members_of(config))
    members.push_back(open_one(member, placement, images, warn));
  return classifiers::ensemble(std::move(members));
}

}  // namespace sextant::models
