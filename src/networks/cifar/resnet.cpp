// The ResNet for CIFAR of He et al. 2015, section 4.2.
#include "cifar/resnet.h"

#include "config_reader.h"
#include "logits.h"

namespace sextant::networks::cifar {
namespace {

constexpr int64_t kStemChannels = 16;

}  // namespace

ResNetConfig read_config(const nlohmann::json& model) {
  ConfigReader read("cifar-resnet", model);
  ResNetConfig c;
  c.num_blocks = read.required<std::vector<int64_t>>("num_blocks");
  c.num_classes = read.optional<int64_t>("num_classes", 10);
  const auto option = read.optional<std::string>("option", "A");
  if (option != "A" && option != "B") read.fail("option must be A or B, got '" + option + "'");
  c.projection = option == "B";
  c.softplus_beta = read.optional<double>("softplus_beta", 0);
  read.finish();
  if (c.num_blocks.size() != 3) read.fail("'num_blocks' must list three stages");
  for (const int64_t blocks : c.num_blocks) {
    if (blocks < 1 || blocks > 1000) read.fail("every entry of 'num_blocks' must be from 1 to 1000");
  }
  if (c.num_classes < 1) read.fail("num_classes must be positive");
  if (c.softplus_beta < 0) read.fail("softplus_beta must be 0 (ReLU) or positive");
  return c;
}

ResNet::ResNet(const ResNetConfig& config) : config_(config), relu_{config.softplus_beta} {
  const Scope root(parameters_);
  stem_ = ConvNorm(root / "conv1", root / "bn1", 3, kStemChannels, 3, before_norm(3, 1));
  int64_t channels = kStemChannels;
  for (std::size_t s = 0; s < config.num_blocks.size(); ++s) {
    const int64_t planes = kStemChannels << s;
    for (int64_t i = 0; i < config.num_blocks[s]; ++i) {
      const Scope scope = root / ("layer" + std::to_string(s + 1)) / i;
      Block block;
      block.stride = s > 0 && i == 0 ? 2 : 1;
      block.first = ConvNorm(scope / "conv1", scope / "bn1", channels, planes, 3, before_norm(3, block.stride));
      block.second = ConvNorm(scope / "conv2", scope / "bn2", planes, planes, 3, before_norm(3, 1));
      if (channels != planes) {
        if (config.projection) {
          block.projection = ConvNorm(scope / "shortcut" / 0, scope / "shortcut" / 1, channels, planes, 1,
                                      before_norm(1, block.stride));
        }
        block.padding = planes / 4;
      }
      blocks_.push_back(block);
      channels = planes;
    }
  }
  linear_ = Linear(root / "linear", channels, config.num_classes);
}

Tensor ResNet::shortcut(const Block& block, const Tensor& x) const {
  if (block.projection) return (*block.projection)(x);
  if (block.stride == 1) return x;
  const Tensor kept = x.slice(2, 0, {}, block.stride).slice(3, 0, {}, block.stride);
  return at::constant_pad_nd(kept, {0, 0, 0, 0, block.padding, block.padding});
}

Tensor ResNet::forward(const Tensor& image, const Tensor&) const { return trace(image, {}); }

Tensor ResNet::trace(const Tensor& image, const LayerSeen& seen) const {
  check_images("cifar-resnet", image, 3);
  Tensor x = stem_(image_for(image, compute_type()), relu_);
  auto block = blocks_.begin();
  for (std::size_t stage = 0; stage < config_.num_blocks.size(); ++stage) {
    for (int64_t i = 0; i < config_.num_blocks[stage]; ++i, ++block) {
      x = block->second(block->first(x, relu_), relu_, shortcut(*block, x));
    }
    if (seen) seen("layer" + std::to_string(stage + 1), x);
  }
  return as_logits(classified(linear_, x.mean({2, 3}), "avgpool", "linear", seen));
}

void ResNet::prepare() {
  stem_.fold();
  for (Block& block : blocks_) {
    block.first.fold();
    block.second.fold();
    if (block.projection) block.projection->fold();
  }
}

}  // namespace sextant::networks::cifar
