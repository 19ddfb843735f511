#include "internal/runtime/text.h"
#include "sextant/models/models.h"
#include "sextant/runtime/error.h"

namespace sextant::models {

using nlohmann::json;

namespace {

InputConvention unit_range(std::vector<double> mean, std::vector<double> std, Resize resize) {
  return {0, 1, std::move(mean), std::move(std), 0, resize};
}

InputConvention imagenet() { return unit_range({0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}, Resize::kBilinear); }

InputConvention clip() {
  using networks::kClipMean, networks::kClipStd;
  return unit_range({std::begin(kClipMean), std::end(kClipMean)}, {std::begin(kClipStd), std::end(kClipStd)},
                    Resize::kBicubic);
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
    convention.resize = parse_resize(input->value("resize", "bilinear"));
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
    convention = unit_range({}, {}, Resize::kBilinear);
  } else if (name == "imagenet") {
    convention = imagenet();
  } else if (name == "clip") {
    convention = clip();
  } else if (name != "raw") {
    throw UsageError("classifier input '" + name + "' is unknown; use " +
                     joined(input_convention_names(), ", ", " or "));
  }
  if (size > 0) convention.size = size;
  return convention;
}

}  // namespace sextant::models
