#include "sextant/models/classifier.h"

#include <c10/util/StringUtil.h>

#include "internal/models/registry.h"
#include "prompts.h"
#include "sextant/runtime/error.h"

namespace sextant::models {

namespace fs = std::filesystem;
using classifiers::Cutouts;
using classifiers::InputConvention;
using nlohmann::json;

namespace {

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
             const ClassifierOptions& options) {
  if (const auto clip = std::dynamic_pointer_cast<const networks::Clip>(network)) {
    const Tensor tokens = prompt_tokens(options.prompts, clip->context_length(), options.warn);
    return {classifiers::prompted(clip, tokens), clip->image_resolution()};
  }
  const auto classifier = std::dynamic_pointer_cast<const networks::ClassifierNetwork>(network);
  if (!classifier) throw CheckpointError(path.string() + ": a network of type '" + type + "' is no classifier");
  if (!options.prompts.targets.empty()) {
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
json with_input_shape(json config, const ClassifierOptions& options) {
  if (!networks::family_of(config).open) return config;
  const auto fill = [&](const char* key, int64_t value) {
    if (value > 0 && !config["model"].contains(key)) config["model"][key] = value;
  };
  fill("in_channels", options.channels);
  fill("image_size", options.input_size > 0 ? options.input_size : options.image_size);
  return config;
}

void check_channels(const fs::path& path, const json& config, int64_t channels) {
  const auto expected = config.value("/model/in_channels"_json_pointer, int64_t{3});
  if (channels <= 0 || expected == channels) return;
  throw UsageError(c10::str(path.string(), ": the classifier takes images of ", expected,
                            " channels, the diffusion model draws ", channels));
}

}  // namespace

guidance::Classifier as_classifier(std::shared_ptr<const networks::ClassifierNetwork> network,
                                   const InputConvention& convention) {
  const int64_t size = network->image_size();
  return behind({classifiers::of_network(std::move(network)), size}, convention);
}

guidance::Classifier open_classifier(const fs::path& path, const std::string& arch, const ClassifierOptions& options,
                                     Placement placement) {
  Description description = describe(path, arch);
  description.config = with_input_shape(smoothed(description.config, options.softplus_beta, path), options);
  const auto network = open_network(description, placement);
  Core core = core_of(path, description.config.at("type").get<std::string>(), network, options);
  core.classifier =
      classifiers::calibrated(core.classifier, classifiers::rescaling_of(description.config, core.classifier.classes));
  check_channels(path, description.config, options.channels);
  InputConvention convention = input_convention(options.input, description.config, options.input_size);
  if (options.resize != "config") convention.resize = classifiers::parse_resize(options.resize);
  return behind(std::move(core), convention, options.cutouts);
}

}  // namespace sextant::models
