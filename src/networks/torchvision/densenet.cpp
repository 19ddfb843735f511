// DenseNet (Huang et al. 2017), as torchvision computes it.
#include "torchvision/densenet.h"

#include "config_reader.h"
#include "imagenet.h"
#include "internal/networks/family.h"
#include "internal/runtime/text.h"
#include "logits.h"

namespace sextant::networks::torchvision {

DenseNetConfig densenet_config(const nlohmann::json& model) {
  ConfigReader read("densenet", model);
  DenseNetConfig c;
  c.growth_rate = read.optional("growth_rate", c.growth_rate);
  c.block_config = read.optional("block_config", c.block_config);
  c.num_init_features = read.optional("num_init_features", c.num_init_features);
  c.bn_size = read.optional("bn_size", c.bn_size);
  c.num_classes = read.optional("num_classes", c.num_classes);
  c.softplus_beta = read.optional("softplus_beta", c.softplus_beta);
  for (const char* training_only : {"drop_rate", "memory_efficient"}) read.ignore(training_only);
  read.finish();
  std::vector<int64_t> sizes = c.block_config;
  sizes.insert(sizes.end(), {c.growth_rate, c.num_init_features, c.bn_size, c.num_classes});
  for (const int64_t size : sizes) {
    if (size < 1) read.fail("sizes must be positive");
  }
  if (c.block_config.empty()) read.fail("'block_config' must list a block");
  if (c.softplus_beta < 0) read.fail("softplus_beta must be 0 (ReLU) or positive");
  return c;
}

DenseNet::DenseNet(const DenseNetConfig& config) : config_(config), relu_{config.softplus_beta} {
  const Scope root(parameters_);
  const Scope features = root / "features";
  int64_t channels = config.num_init_features;
  stem_ = ConvNorm(features / "conv0", features / "norm0", 3, channels, 7, before_norm(7, 2));
  const int64_t inner = config.bn_size * config.growth_rate;
  for (std::size_t b = 0; b < config.block_config.size(); ++b) {
    const std::string number = std::to_string(b + 1);
    std::vector<Layer> layers;
    for (int64_t i = 0; i < config.block_config[b]; ++i) {
      const Scope scope = features / ("denseblock" + number) / ("denselayer" + std::to_string(i + 1));
      Layer layer;
      layer.norm = BatchNorm2d(scope / "norm1", channels);
      layer.bottleneck = ConvNorm(scope / "conv1", scope / "norm2", channels, inner, 1, before_norm(1));
      layer.grow = Conv2d(scope / "conv2", inner, config.growth_rate, 3, before_norm(3));
      layers.push_back(layer);
      channels += config.growth_rate;
    }
    blocks_.push_back(std::move(layers));
    if (b + 1 == config.block_config.size()) break;
    const Scope scope = features / ("transition" + number);
    transitions_.push_back(
        {BatchNorm2d(scope / "norm", channels), Conv2d(scope / "conv", channels, channels / 2, 1, before_norm(1))});
    channels /= 2;
  }
  norm_ = BatchNorm2d(features / "norm5", channels);
  classifier_ = Linear(root / "classifier", channels, config.num_classes);
}

Tensor DenseNet::run(const Layer& layer, const Tensor& x) const {
  return layer.grow(layer.bottleneck(relu_.of_temporary(layer.norm(x)), relu_));
}

Tensor DenseNet::forward(const Tensor& image, const Tensor&) const { return trace(image, {}); }

Tensor DenseNet::trace(const Tensor& image, const LayerSeen& seen) const {
  check_images("densenet", image, 3);
  Tensor x = at::max_pool2d(stem_(image_for(image, compute_type()), relu_), 3, 2, 1);
  for (std::size_t b = 0; b < blocks_.size(); ++b) {
    for (const Layer& layer : blocks_[b]) x = at::cat({x, run(layer, x)}, 1);
    if (b == transitions_.size()) break;
    x = at::avg_pool2d(transitions_[b].conv(relu_.of_temporary(transitions_[b].norm(x))), 2, 2);
  }
  const Tensor pooled = relu_.of_temporary(norm_(x)).mean({2, 3});
  return as_logits(classified(classifier_, pooled, "features", "classifier", seen));
}

checkpoint::StateDict DenseNet::renamed(const checkpoint::StateDict& weights) const {
  checkpoint::StateDict result;
  for (const auto& [name, tensor] : weights) {
    std::string now = name;
    if (name.find(".denselayer") != std::string::npos) {
      for (const char* layer : {"norm", "conv"}) {
        for (const char* number : {"1", "2"}) {
          now = replaced(now, std::string(".") + layer + "." + number + ".", std::string(".") + layer + number + ".");
        }
      }
    }
    result.set(now, tensor);
  }
  return result;
}

void DenseNet::prepare() {
  stem_.fold();
  for (auto& block : blocks_) {
    for (Layer& layer : block) layer.bottleneck.fold();
  }
}

namespace {

std::vector<Preset> densenet_presets() {
  const auto preset = [](const char* name, int64_t growth, std::vector<int64_t> blocks, int64_t first) {
    return imagenet_preset(name, "densenet", 224,
                           {{"growth_rate", growth}, {"block_config", blocks}, {"num_init_features", first}});
  };
  return {preset("densenet121", 32, {6, 12, 24, 16}, 64), preset("densenet161", 48, {6, 12, 36, 24}, 96),
          preset("densenet169", 32, {6, 12, 32, 32}, 64), preset("densenet201", 32, {6, 12, 48, 32}, 64)};
}

}  // namespace

Family densenet_family() {
  return {.type = "densenet",
          .role = Role::kClassifier,
          .make = make_from<DenseNet, densenet_config>,
          .presets = densenet_presets};
}

}  // namespace sextant::networks::torchvision
