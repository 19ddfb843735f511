#include "internal/runtime/text.h"
#include "sextant/models/classifier.h"
#include "sextant/runtime/error.h"

namespace sextant::models {

using classifiers::InputConvention;
using classifiers::Resize;
using nlohmann::json;

namespace {

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
  if (convention.mean.size() != convention.std.size() || !(convention.high > convention.low)) {
    throw CheckpointError("config.json: \"input\" needs range [low, high] and mean and std of the same length: " +
                          input->dump());
  }
  return convention;
}

}  // namespace

std::vector<std::string> input_convention_names() { return {"config", "raw", "half", "imagenet", "clip"}; }

InputConvention input_convention(const std::string& name, const json& config, int64_t size) {
  InputConvention convention;
  if (name == "config") {
    convention = from_config(config);
  } else if (name == "half") {
    convention = unit_range(Resize::kBilinear);
  } else if (name == "imagenet") {
    convention = unit_range(networks::kImageNetMean, networks::kImageNetStd, Resize::kBilinear);
  } else if (name == "clip") {
    convention = unit_range(networks::kClipMean, networks::kClipStd, Resize::kBicubic);
  } else if (name != "raw") {
    throw UsageError("classifier input '" + name + "' is unknown; use " +
                     joined(input_convention_names(), ", ", " or "));
  }
  if (size > 0) convention.size = size;
  return convention;
}

}  // namespace sextant::models
