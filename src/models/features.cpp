#include "internal/models/mixture.h"
#include "internal/models/registry.h"
#include "internal/runtime/text.h"
#include "sextant/models/classifier.h"
#include "sextant/networks/network.h"
#include "sextant/runtime/error.h"

namespace sextant::models {

namespace fs = std::filesystem;

namespace {

/// From pixels 0 to 255 to what a network eats.
class Preparation {
 public:
  Preparation(const nlohmann::json& config, int64_t own_size)
      : convention_(input_convention(ClassifierInput::kConfig, config)) {
    const int64_t usual = config.value("/input/size"_json_pointer, int64_t{0});
    size_ = convention_.size > 0 ? convention_.size : own_size > 0 ? own_size : usual;
  }

  Tensor operator()(const Tensor& images, at::Device device) const {
    Tensor x = images.to(device, images.scalar_type() == at::kDouble ? at::kDouble : at::kFloat);
    if (size_ > 0) x = classifiers::resized(x, size_, size_, convention_.resize).clamp(0, 255);
    const auto constant = [&](const std::vector<double>& values) {
      return at::tensor(values, at::kDouble).view({1, -1, 1, 1}).to(x.options());
    };
    x = x * ((convention_.high - convention_.low) / 255) + convention_.low;
    return convention_.mean.empty() ? x : (x - constant(convention_.mean)) / constant(convention_.std);
  }

 private:
  classifiers::InputConvention convention_;
  int64_t size_ = 0;
};

class ClassifierFeatures : public networks::FeatureNetwork {
 public:
  ClassifierFeatures(std::shared_ptr<const networks::ClassifierNetwork> network, const nlohmann::json& config,
                     std::string layer)
      : network_(std::move(network)),
        prepare_(config, network_->image_size()),
        channels_(config.value("/model/in_channels"_json_pointer, int64_t{3})),
        layer_(std::move(layer)) {
    stands_for(*network_);
  }
  Features forward(const Tensor& images) const override {
    return {{"pool", network_->features(prepare_(images, network_->device()), layer_)}};
  }
  int64_t channels() const override { return channels_; }

 private:
  std::shared_ptr<const networks::ClassifierNetwork> network_;
  Preparation prepare_;
  int64_t channels_;
  std::string layer_;
};

class ClipFeatures : public networks::FeatureNetwork {
 public:
  ClipFeatures(std::shared_ptr<const networks::Clip> clip, const nlohmann::json& config)
      : clip_(std::move(clip)), prepare_(config, clip_->image_resolution()) {
    stands_for(*clip_);
  }
  Features forward(const Tensor& images) const override {
    return {{"pool", clip_->image_features(prepare_(images, clip_->device()))}};
  }
  int64_t channels() const override { return 3; }

 private:
  std::shared_ptr<const networks::Clip> clip_;
  Preparation prepare_;
};

/// Points describe themselves, and the posterior reads them.
class MixtureFeatures : public networks::FeatureNetwork {
 public:
  explicit MixtureFeatures(diffusion::Mixture mixture) : mixture_(std::move(mixture)) {}
  Features forward(const Tensor& points) const override {
    if (!points.is_floating_point()) {
      throw UsageError("a mixture judges points, float32 [N, d] in samples.npz, and no images");
    }
    const Tensor x = points.flatten(1).to(mixture_.options());
    return {{"pool", x}, {"logits", mixture_.log_joint(x)}};
  }
  int64_t channels() const override { return mixture_.dimension(); }

 private:
  diffusion::Mixture mixture_;
};

/// UsageError that lists `layers` where `layer` is none of them.
void check_layer(const std::string& layer, const std::vector<std::string>& layers, const fs::path& path) {
  if (std::find(layers.begin(), layers.end(), layer) != layers.end()) return;
  throw UsageError("layer '" + layer + "': " + path.string() + " describes images by " + joined(layers, ", "));
}

}  // namespace

std::shared_ptr<const networks::FeatureNetwork> open_features(const Description& description, Placement placement,
                                                              const std::string& layer) {
  const fs::path& path = description.weights;
  if (is_mixture(description.config)) {
    if (!layer.empty()) check_layer(layer, {"pool"}, path);
    return std::make_shared<const MixtureFeatures>(open_mixture(description, placement.device));
  }
  const auto network = open_network(description, placement);
  if (auto features = std::dynamic_pointer_cast<const networks::FeatureNetwork>(network)) {
    if (!layer.empty()) check_layer(layer, {"pool"}, path);
    return features;
  }
  if (auto clip = std::dynamic_pointer_cast<const networks::Clip>(network)) {
    if (!layer.empty()) check_layer(layer, {"visual"}, path);
    return std::make_shared<const ClipFeatures>(std::move(clip), description.config);
  }
  auto classifier = std::dynamic_pointer_cast<const networks::ClassifierNetwork>(network);
  if (!classifier || classifier->feature_layers().empty()) {
    throw UsageError(path.string() + ": a network of type '" + description.config.at("type").get<std::string>() +
                     "' gives no features of images; give Inception's weights, a folder like models/mnist-features, "
                     "CLIP or an image classifier");
  }
  // No default: distances in the features of different layers do not compare, so the reader is to see which one it is.
  if (layer.empty()) {
    throw UsageError(path.string() +
                     ": is an image classifier, not a network of features; name the layer whose "
                     "output describes an image: " +
                     joined(classifier->feature_layers(), ", "));
  }
  check_layer(layer, classifier->feature_layers(), path);
  return std::make_shared<const ClassifierFeatures>(std::move(classifier), description.config, layer);
}

std::shared_ptr<const networks::FeatureNetwork> open_features(const fs::path& path, const std::string& arch,
                                                              Placement placement, const std::string& layer) {
  return open_features(describe(path, arch), placement, layer);
}

}  // namespace sextant::models
