// sextant's own small network of features for MNIST-sized images.
#include "mnist/features.h"

#include <c10/util/StringUtil.h>

#include "config_reader.h"
#include "internal/kernels/activation.h"
#include "internal/kernels/convolution.h"
#include "sextant/runtime/error.h"

namespace sextant::networks::mnist {

FeaturesConfig read_config(const nlohmann::json& model) {
  ConfigReader read("mnist-features", model);
  FeaturesConfig c;
  c.image_size = read.optional("image_size", c.image_size);
  c.in_channels = read.optional("in_channels", c.in_channels);
  c.channels = read.optional("channels", c.channels);
  c.features = read.optional("features", c.features);
  c.num_classes = read.optional("num_classes", c.num_classes);
  c.mean = read.optional("mean", c.mean);
  c.std = read.optional("std", c.std);
  c.dropout = read.optional("dropout", c.dropout);
  read.finish();
  if (c.image_size < 4 || c.image_size % 4 != 0) read.fail("image_size must be a multiple of 4");
  if (!(c.std > 0)) read.fail("std must be positive");
  if (!(c.dropout >= 0 && c.dropout < 1)) read.fail("dropout must be from 0 to below 1");
  return c;
}

MnistFeatures::MnistFeatures(const FeaturesConfig& config) : config_(config) {
  const Scope root(parameters_);
  int64_t in = config.in_channels;
  for (std::size_t i = 0; i < convs_.size(); ++i) {
    convs_[i] = Conv2d(root / ("conv" + std::to_string(i + 1)), in, config.channels[i], 3, {.stride = 1, .padding = 1});
    in = config.channels[i];
  }
  const int64_t side = config.image_size / 4;
  fc1_ = Linear(root / "fc1", in * side * side, config.features);
  dropout_ = Dropout(root, config.dropout);
  fc2_ = Linear(root / "fc2", config.features, config.num_classes);
}

FeatureNetwork::Features MnistFeatures::forward(const Tensor& images) const {
  if (images.dim() != 4 || images.size(1) != config_.in_channels || images.size(2) != config_.image_size ||
      images.size(3) != config_.image_size) {
    throw ShapeError(c10::str("mnist-features: expected images [B, ", config_.in_channels, ", ", config_.image_size,
                              ", ", config_.image_size, "], got ", images.sizes()));
  }
  const auto conv = [](const Tensor& x, const Conv2d& c) {
    return kernels::activate(kernels::frozen_conv2d(x, c.weight, c.bias, {1, 1}), 0);
  };
  Tensor x = ((images.to(compute_type()) / 255 - config_.mean) / config_.std);
  x = at::max_pool2d(conv(conv(x, convs_[0]), convs_[1]), 2);
  x = at::max_pool2d(conv(conv(x, convs_[2]), convs_[3]), 2);
  const Tensor pool = at::relu(fc1_(x.flatten(1)));
  const Tensor logits = fc2_(dropout_(pool));
  const at::ScalarType type = at::promote_types(compute_type(), at::kFloat);
  return {{"pool", pool.to(type)}, {"logits", logits.to(type)}};
}

}  // namespace sextant::networks::mnist
