#include <algorithm>

#include "sextant/models/classifier.h"
#include "sextant/runtime/error.h"

namespace sextant::models {

using classifiers::InputConvention;
using classifiers::Resize;
using nlohmann::json;

namespace {

constexpr int64_t kMostPixels = 4096;  ///< of a side that a classifier sees

InputConvention unit_range(Resize resize) { return {0, 1, {}, {}, 0, resize}; }

InputConvention unit_range(const double (&mean)[3], const double (&std)[3], Resize resize) {
  return {0, 1, {std::begin(mean), std::end(mean)}, {std::begin(std), std::end(std)}, 0, resize};
}

InputConvention from_config(const json& config) {
  InputConvention convention;
  const auto input = config.find("input");
  if (input == config.end()) return convention;
  try {
    const auto range = input->value("range", std::vector<double>{-1, 1});
    convention.low = range.at(0);
    convention.high = range.at(1);
    convention.mean = input->value("mean", std::vector<double>{});
    convention.std = input->value("std", std::vector<double>{});
    convention.size = input->value("resized_to", int64_t{0});
    convention.resize = classifiers::parse_resize(input->value("resize", "bilinear"));
  } catch (const UsageError& unknown) {
    throw CheckpointError(std::string("config.json: \"input\": ") + unknown.what());
  } catch (const std::exception&) {
    throw CheckpointError("config.json: \"input\" has an entry of the wrong type: " + input->dump());
  }
  const bool scales = std::all_of(convention.std.begin(), convention.std.end(), [](double std) { return std > 0; });
  if (convention.mean.size() != convention.std.size() || !(convention.high > convention.low) || !scales ||
      convention.size < 0 || convention.size > kMostPixels) {
    throw CheckpointError(
        "config.json: \"input\" needs range [low, high], mean and std of the same length, std above 0, and resized_to "
        "from 0 to 4096: " +
        input->dump());
  }
  return convention;
}

InputConvention chosen(ClassifierInput input, const json& config) {
  switch (input) {
    case ClassifierInput::kConfig:
      return from_config(config);
    case ClassifierInput::kRaw:
      return {};
    case ClassifierInput::kHalf:
      return unit_range(Resize::kBilinear);
    case ClassifierInput::kImageNet:
      return unit_range(networks::kImageNetMean, networks::kImageNetStd, Resize::kBilinear);
    case ClassifierInput::kClip:
      return unit_range(networks::kClipMean, networks::kClipStd, Resize::kBicubic);
  }
  throw UsageError("classifier input: unknown");
}

/// "input" of config.json for a convention that was chosen by hand.
json input_of(const InputConvention& convention) {
  json input = {{"range", {convention.low, convention.high}}};
  if (!convention.mean.empty()) {
    input["mean"] = convention.mean;
    input["std"] = convention.std;
  }
  if (convention.size > 0) input["resized_to"] = convention.size;
  for (const auto& [word, filter] : classifiers::resize_words()) {
    if (filter == convention.resize) input["resize"] = word;
  }
  return input;
}

}  // namespace

const std::vector<std::pair<std::string, ClassifierInput>>& classifier_input_words() {
  static const std::vector<std::pair<std::string, ClassifierInput>> kWords = {{"config", ClassifierInput::kConfig},
                                                                              {"raw", ClassifierInput::kRaw},
                                                                              {"half", ClassifierInput::kHalf},
                                                                              {"imagenet", ClassifierInput::kImageNet},
                                                                              {"clip", ClassifierInput::kClip}};
  return kWords;
}

InputConvention input_convention(ClassifierInput input, const json& config, int64_t size) {
  InputConvention convention = chosen(input, config);
  if (size > 0) convention.size = size;
  return convention;
}

json with_input(json config, ClassifierInput input, int64_t size, std::optional<Resize> resize) {
  if (input == ClassifierInput::kConfig && size == 0 && !resize) return config;
  InputConvention convention = input_convention(input, config, size);
  if (resize) convention.resize = *resize;
  const int64_t usual = config.value("/input/size"_json_pointer, int64_t{0});
  config["input"] = input_of(convention);
  if (usual > 0) config["input"]["size"] = usual;
  return config;
}

}  // namespace sextant::models
