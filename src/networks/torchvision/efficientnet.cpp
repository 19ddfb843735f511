// EfficientNet (Tan & Le 2019) and EfficientNetV2 (Tan & Le 2021), as torchvision computes them.
#include "torchvision/efficientnet.h"

#include "config_reader.h"
#include "internal/runtime/pointwise.h"
#include "logits.h"

namespace sextant::networks::torchvision {

EfficientNetConfig efficientnet_config(const nlohmann::json& model) {
  ConfigReader read("efficientnet", model);
  EfficientNetConfig c;
  for (const auto& row : read.required<std::vector<std::vector<int64_t>>>("stages")) {
    if (row.size() != 7) read.fail("a row of 'stages' must be [fused, expand, kernel, stride, in, out, layers]");
    for (std::size_t i = 1; i < row.size(); ++i) {
      if (row[i] < 1) read.fail("sizes must be positive");
    }
    c.stages.push_back({row[0] != 0, row[1], row[2], row[3], row[4], row[5], row[6]});
  }
  if (c.stages.empty()) read.fail("'stages' must have a row");
  c.last_channels = read.required<int64_t>("last_channels");
  c.norm_eps = read.optional("norm_eps", c.norm_eps);
  c.num_classes = read.optional("num_classes", c.num_classes);
  read.finish();
  if (c.last_channels < 1 || c.num_classes < 1) read.fail("sizes must be positive");
  return c;
}

EfficientNet::EfficientNet(const EfficientNetConfig& config) : config_(config) {
  const Scope root(parameters_);
  const Scope features = root / "features";
  const auto conv_norm = [&](const Scope& scope, int64_t in, int64_t out, const Conv2d::Options& o, int64_t kernel) {
    return ConvNorm(scope / 0, scope / 1, in, out, kernel, o, config.norm_eps);
  };
  stem_ = conv_norm(features / 0, 3, config.stages.front().in, before_norm(3, 2), 3);
  int64_t place = 1;
  for (const EfficientNetConfig::Stage& stage : config.stages) {
    for (int64_t i = 0; i < stage.layers; ++i) {
      blocks_.push_back(
          make_block(features / place / i / "block", stage, i == 0 ? stage.in : stage.out, i == 0 ? stage.stride : 1));
    }
    ++place;
  }
  last_ = conv_norm(features / place, config.stages.back().out, config.last_channels, before_norm(1), 1);
  classifier_ = Linear(root / "classifier" / 1, config.last_channels, config.num_classes);
}

EfficientNet::Block EfficientNet::make_block(const Scope& scope, const EfficientNetConfig::Stage& stage, int64_t in,
                                             int64_t stride) const {
  Block block;
  block.residual = stride == 1 && in == stage.out;
  const int64_t wide = in * stage.expand;
  int64_t place = 0;
  const auto add = [&](int64_t from, int64_t to, int64_t kernel, const Conv2d::Options& o) {
    const Scope here = scope / place++;
    block.convs.emplace_back(here / 0, here / 1, from, to, kernel, o, config_.norm_eps);
  };
  if (stage.fused) {
    if (stage.expand == 1) {
      add(in, stage.out, stage.kernel, before_norm(stage.kernel, stride));
    } else {
      add(in, wide, stage.kernel, before_norm(stage.kernel, stride));
      add(wide, stage.out, 1, before_norm(1));
    }
    return block;
  }
  if (stage.expand != 1) add(in, wide, 1, before_norm(1));
  add(wide, wide, stage.kernel, before_norm(stage.kernel, stride, wide));
  const int64_t squeezed = std::max<int64_t>(1, in / 4);
  const Scope excitation = scope / place++;
  block.squeeze = Conv2d(excitation / "fc1", wide, squeezed, 1, {});
  block.excite = Conv2d(excitation / "fc2", squeezed, wide, 1, {});
  add(wide, stage.out, 1, before_norm(1));
  return block;
}

Tensor EfficientNet::run(const Block& block, const Tensor& x) const {
  Tensor y = x;
  for (std::size_t i = 0; i < block.convs.size(); ++i) {
    const bool last = i + 1 == block.convs.size();
    if (last && block.squeeze) {
      const Tensor narrow = pointwise::silu((*block.squeeze)(y.mean({2, 3}, true)));
      y = y * pointwise::sigmoid((*block.excite)(narrow));
    }
    y = block.convs[i](y);
    if (!last || block.convs.size() == 1) y = pointwise::silu(y);
  }
  return block.residual ? x + y : y;
}

Tensor EfficientNet::forward(const Tensor& image, const Tensor&) const { return trace(image, {}); }

Tensor EfficientNet::trace(const Tensor& image, const LayerSeen& seen) const {
  check_images("efficientnet", image, 3);
  Tensor x = pointwise::silu(stem_(image_for(image, compute_type())));
  for (const Block& block : blocks_) x = run(block, x);
  return as_logits(classified(classifier_, pointwise::silu(last_(x)).mean({2, 3}), "avgpool", "classifier", seen));
}

void EfficientNet::prepare() {
  stem_.fold();
  for (Block& block : blocks_) {
    for (ConvNorm& conv : block.convs) conv.fold();
  }
  last_.fold();
}

}  // namespace sextant::networks::torchvision
