// ConvNeXt (Liu et al. 2022), as torchvision computes it.
#include "torchvision/convnext.h"

#include "config_reader.h"
#include "conv_norm.h"
#include "imagenet.h"
#include "internal/networks/family.h"
#include "internal/runtime/pointwise.h"
#include "logits.h"

namespace sextant::networks::torchvision {
namespace {

constexpr double kConvNextEps = 1e-6;

/// Over the channels of [B, C, H, W]; a channels_last image is not moved.
Tensor over_channels(const LayerNorm& norm, const Tensor& x) {
  return norm(x.permute({0, 2, 3, 1})).permute({0, 3, 1, 2});
}

}  // namespace

ConvNextConfig convnext_config(const nlohmann::json& model) {
  ConfigReader read("convnext", model);
  ConvNextConfig c;
  using Row = std::vector<nlohmann::json>;
  for (const Row& row : read.required<std::vector<Row>>("block_setting")) {
    if (row.size() != 3 || !row[0].is_number_integer() || !(row[1].is_null() || row[1].is_number_integer()) ||
        !row[2].is_number_integer()) {
      read.fail("a row of 'block_setting' must be [in, out or null, layers]");
    }
    ConvNextConfig::Stage stage{row[0].get<int64_t>(), {}, row[2].get<int64_t>()};
    if (!row[1].is_null()) stage.out = row[1].get<int64_t>();
    if (stage.in < 1 || stage.layers < 0 || stage.out.value_or(1) < 1) read.fail("sizes must be positive");
    c.stages.push_back(stage);
  }
  if (c.stages.empty()) read.fail("'block_setting' must have a row");
  for (std::size_t i = 0; i + 1 < c.stages.size(); ++i) {
    if (c.stages[i].out.value_or(c.stages[i].in) != c.stages[i + 1].in)
      read.fail("the rows of 'block_setting' do not join");
  }
  c.num_classes = read.optional("num_classes", c.num_classes);
  for (const char* training_only : {"layer_scale", "stochastic_depth_prob"}) read.ignore(training_only);
  read.finish();
  return c;
}

ConvNext::ConvNext(const ConvNextConfig& config) : config_(config) {
  const Scope root(parameters_);
  const Scope features = root / "features";
  int64_t channels = config.stages.front().in;
  stem_ = Conv2d(features / 0 / 0, 3, channels, 4, {.stride = 4, .padding = 0});
  stem_norm_ = LayerNorm(features / 0 / 1, channels, kConvNextEps);
  int64_t place = 1;
  for (const ConvNextConfig::Stage& row : config.stages) {
    Stage stage;
    for (int64_t i = 0; i < row.layers; ++i) {
      const Scope scope = features / place / i;
      Block block;
      block.scale = scope.norm("layer_scale", {channels, 1, 1});
      block.depthwise =
          Conv2d(scope / "block" / 0, channels, channels, 7, {.stride = 1, .padding = 3, .groups = channels});
      block.norm = LayerNorm(scope / "block" / 2, channels, kConvNextEps);
      block.fc1 = Linear(scope / "block" / 3, channels, 4 * channels);
      block.fc2 = Linear(scope / "block" / 5, 4 * channels, channels);
      stage.blocks.push_back(block);
    }
    ++place;
    if (row.out) {
      stage.norm = LayerNorm(features / place / 0, channels, kConvNextEps);
      stage.downsample = Conv2d(features / place / 1, channels, *row.out, 2, {.stride = 2, .padding = 0});
      channels = *row.out;
      ++place;
    }
    stages_.push_back(std::move(stage));
  }
  norm_ = LayerNorm(root / "classifier" / 0, channels, kConvNextEps);
  head_ = Linear(root / "classifier" / 2, channels, config.num_classes);
}

Tensor ConvNext::run(const Block& block, const Tensor& x) const {
  const Tensor rows = block.norm(block.depthwise(x).permute({0, 2, 3, 1}));
  const Tensor y = block.fc2(pointwise::gelu(block.fc1(rows))).permute({0, 3, 1, 2});
  return x + y * block.scale.to(y.scalar_type());
}

Tensor ConvNext::forward(const Tensor& image, const Tensor&) const { return trace(image, {}); }

Tensor ConvNext::trace(const Tensor& image, const LayerSeen& seen) const {
  check_images("convnext", image, 3);
  Tensor x = over_channels(stem_norm_, stem_(image_for(image, compute_type())));
  for (const Stage& stage : stages_) {
    for (const Block& block : stage.blocks) x = run(block, x);
    if (stage.norm) x = stage.downsample(over_channels(*stage.norm, x));
  }
  const Tensor pooled = x.mean({2, 3});
  if (seen) seen("avgpool", pooled);
  return as_logits(classified(head_, norm_(pooled), "", "classifier", seen));
}

namespace {

std::vector<Preset> convnext_presets() {
  const auto preset = [](const char* name, int64_t width, int64_t layers, int64_t size) {
    nlohmann::json rows = {
        {width, 2 * width, 3}, {2 * width, 4 * width, 3}, {4 * width, 8 * width, layers}, {8 * width, nullptr, 3}};
    return imagenet_preset(name, "convnext", size, {{"block_setting", rows}});
  };
  return {preset("convnext_tiny", 96, 9, 224), preset("convnext_small", 96, 27, 224),
          preset("convnext_base", 128, 27, 224), preset("convnext_large", 192, 27, 224)};
}

}  // namespace

Family convnext_family() {
  return {.type = "convnext",
          .role = Role::kClassifier,
          .make = make_from<ConvNext, convnext_config>,
          .presets = convnext_presets};
}

}  // namespace sextant::networks::torchvision
