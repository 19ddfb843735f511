#include <c10/util/StringUtil.h>

#include "models/registry.h"
#include "sextant/error.h"

namespace sextant::models {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

const InputConvention kImageNet = {0, 1, {0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}, 0};

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
  } catch (const std::exception&) {
    throw CheckpointError("config.json: \"input\" has an entry of the wrong type: " + input->dump());
  }
  if (convention.mean.size() != convention.std.size() || !(convention.high > convention.low)) {
    throw CheckpointError("config.json: \"input\" needs range [low, high] and mean and std of the same length: " +
                          input->dump());
  }
  return convention;
}

/// A network behind its input convention.
class NetworkClassifier : public guidance::Classifier {
 public:
  NetworkClassifier(std::shared_ptr<const networks::ClassifierNetwork> network, const InputConvention& convention)
      : network_(std::move(network)), size_(convention.size > 0 ? convention.size : network_->image_size()) {
    // ((x + 1)/2 (high - low) + low - mean) / std as one multiply-add per pixel.
    const double half = (convention.high - convention.low) / 2;
    const std::size_t channels = std::max<std::size_t>(1, convention.mean.size());
    std::vector<double> scale(channels, half);
    std::vector<double> shift(channels, half + convention.low);
    for (std::size_t c = 0; c < convention.mean.size(); ++c) {
      scale[c] = half / convention.std[c];
      shift[c] = (half + convention.low - convention.mean[c]) / convention.std[c];
    }
    const auto as_tensor = [&](const std::vector<double>& values) {
      return at::tensor(values, at::kDouble).reshape({1, -1, 1, 1}).to(network_->device());
    };
    identity_ = convention.mean.empty() && convention.low == -1 && convention.high == 1;
    scale_ = as_tensor(scale);
    shift_ = as_tensor(shift);
  }

  Tensor logits(const Tensor& x, const Tensor& t) const override {
    if (scale_.size(1) > 1 && scale_.size(1) != x.size(1)) {
      throw ShapeError(
          c10::str("classifier: its input has ", scale_.size(1), " channels, the images have ", x.size(1)));
    }
    Tensor input = identity_ ? x : at::addcmul(shift_.to(x.scalar_type()), x, scale_.to(x.scalar_type()));
    if (size_ > 0 && (x.size(2) != size_ || x.size(3) != size_)) {
      const std::vector<int64_t> size = {size_, size_};
      input = at::_upsample_bilinear2d_aa(input, size, /*align_corners=*/false);
    }
    return network_->forward(input, network_->uses_time() ? t : Tensor());
  }

  int64_t num_classes() const override { return network_->num_classes(); }
  bool uses_time() const override { return network_->uses_time(); }

 private:
  std::shared_ptr<const networks::ClassifierNetwork> network_;
  int64_t size_;
  bool identity_ = false;
  Tensor scale_;
  Tensor shift_;
};

/// The "model" object with softplus in place of every ReLU.
json smoothed(json config, double softplus_beta, const fs::path& path) {
  if (softplus_beta <= 0) return config;
  json& model = config["model"];
  model["softplus_beta"] = softplus_beta;
  try {
    build(config);
  } catch (const CheckpointError&) {
    throw UsageError(path.string() + ": a network of type '" + config.at("type").get<std::string>() +
                     "' has no ReLU to smooth; leave --softplus-beta at 0");
  }
  return config;
}

}  // namespace

InputConvention input_convention(const std::string& name, const json& config, int64_t size) {
  InputConvention convention;
  if (name == "config") {
    convention = from_config(config);
  } else if (name == "half") {
    convention.low = 0;
  } else if (name == "imagenet") {
    convention = kImageNet;
  } else if (name != "raw") {
    throw UsageError("classifier input '" + name + "' is unknown; use config, raw, half or imagenet");
  }
  convention.size = size;
  return convention;
}

std::shared_ptr<const guidance::Classifier> open_classifier(const fs::path& path, const std::string& arch,
                                                            const ClassifierOptions& options, Placement placement) {
  Description description = describe(path, arch);
  description.config = smoothed(description.config, options.softplus_beta, path);
  auto network = std::dynamic_pointer_cast<const networks::ClassifierNetwork>(open_network(description, placement));
  if (!network) {
    throw CheckpointError(path.string() + ": a network of type '" + description.config.at("type").get<std::string>() +
                          "' is no classifier");
  }
  auto classifier = std::make_shared<const NetworkClassifier>(
      network, input_convention(options.input, description.config, options.input_size));
  if (options.channels > 0) {
    const auto expected = description.config.value("/model/in_channels"_json_pointer, int64_t{3});
    if (expected != options.channels) {
      throw UsageError(c10::str(path.string(), ": the classifier takes images of ", expected,
                                " channels, the diffusion model draws ", options.channels));
    }
  }
  return classifier;
}

}  // namespace sextant::models
