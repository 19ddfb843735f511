// ResNet (He et al. 2015), ResNeXt (Xie et al. 2017) and wide ResNet (Zagoruyko & Komodakis 2016), as torchvision
// computes them.
#include "torchvision/resnet.h"

#include "config_reader.h"
#include "logits.h"

namespace sextant::networks::torchvision {

ResNetConfig resnet_config(const nlohmann::json& model) {
  ConfigReader read("resnet", model);
  ResNetConfig c;
  const auto block = read.required<std::string>("block");
  if (block != "Bottleneck" && block != "BasicBlock")
    read.fail("block must be Bottleneck or BasicBlock, got '" + block + "'");
  c.bottleneck = block == "Bottleneck";
  c.layers = read.required<std::vector<int64_t>>("layers");
  c.num_classes = read.optional<int64_t>("num_classes", 1000);
  c.in_channels = read.optional<int64_t>("in_channels", 3);
  c.width = read.optional<int64_t>("width", 64);
  c.groups = read.optional<int64_t>("groups", 1);
  c.width_per_group = read.optional<int64_t>("width_per_group", 64);
  c.stem_kernel = read.optional<int64_t>("stem_kernel", 7);
  c.stem_stride = read.optional<int64_t>("stem_stride", 2);
  c.stem_pool = read.optional<bool>("stem_pool", true);
  c.dilated = read.optional<std::vector<bool>>("replace_stride_with_dilation", {});
  c.softplus_beta = read.optional<double>("softplus_beta", 0);
  read.ignore("zero_init_residual");
  read.finish();
  for (const int64_t blocks : c.layers) {
    if (blocks < 1 || blocks > 1000) read.fail("every entry of 'layers' must be from 1 to 1000");
  }
  const int64_t stages = static_cast<int64_t>(c.layers.size());
  if (stages < 1 || stages > 8) read.fail("'layers' must list 1 to 8 stages");
  for (const int64_t size :
       {c.num_classes, c.in_channels, c.width, c.groups, c.width_per_group, c.stem_kernel, c.stem_stride}) {
    if (size < 1 || size > 1 << 20) read.fail("sizes must be positive");
  }
  if (!c.bottleneck && (c.groups != 1 || c.width_per_group != 64)) {
    read.fail("BasicBlock has groups 1 and width_per_group 64 only");
  }
  if (!c.dilated.empty() && static_cast<int64_t>(c.dilated.size()) != stages - 1) {
    read.fail("'replace_stride_with_dilation' needs one entry for each stage but the first");
  }
  if (c.softplus_beta < 0) read.fail("softplus_beta must be 0 (ReLU) or positive");
  return c;
}

std::string place_in_head(const checkpoint::StateDict& weights) {
  std::string place;
  for (const auto& [name, tensor] : weights) {
    if (!name.starts_with("fc.")) continue;
    const std::size_t end = name.find('.', 3);
    const std::string number = name.substr(3, end - 3), parameter = end == std::string::npos ? "" : name.substr(end);
    const bool counted = !number.empty() && number.find_first_not_of("0123456789") == std::string::npos;
    const bool linear = (parameter == ".weight" && tensor.dim() == 2) || (parameter == ".bias" && tensor.dim() == 1);
    if (!counted || !linear || (!place.empty() && number != place)) return "";
    place = number;
  }
  return place;
}

checkpoint::StateDict ResNet::renamed(const checkpoint::StateDict& weights) const {
  const std::string place = place_in_head(weights);
  if (place.empty()) return weights;
  checkpoint::StateDict result;
  const std::string listed = "fc." + place + ".";
  for (const auto& [name, tensor] : weights) {
    result.set(name.starts_with(listed) ? "fc." + name.substr(listed.size()) : name, tensor);
  }
  return result;
}

ResNet::ResNet(const ResNetConfig& config) : config_(config), relu_{config.softplus_beta} {
  const Scope root(parameters_);
  stem_ = ConvNorm(root / "conv1", root / "bn1", config.in_channels, config.width, config.stem_kernel,
                   before_norm(config.stem_kernel, config.stem_stride));
  const int64_t expansion = config.bottleneck ? 4 : 1;
  int64_t channels = config.width;
  int64_t dilation = 1;
  for (std::size_t s = 0; s < config.layers.size(); ++s) {
    Stage stage{config.width << s, s == 0 ? 1 : 2, dilation};
    if (s > 0 && !config.dilated.empty() && config.dilated[s - 1]) {
      stage.dilation = dilation * stage.stride;
      stage.stride = 1;
    }
    const Scope scope = root / ("layer" + std::to_string(s + 1));
    for (int64_t i = 0; i < config.layers[s]; ++i) {
      // The first block still has the dilation of the stage before.
      const Stage here{stage.planes, i == 0 ? stage.stride : 1, i == 0 ? dilation : stage.dilation};
      blocks_.push_back(make_block(scope / i, channels, here));
      channels = stage.planes * expansion;
    }
    dilation = stage.dilation;
  }
  fc_ = Linear(root / "fc", channels, config.num_classes);
}

ResNet::Block ResNet::make_block(const Scope& scope, int64_t in, const Stage& stage) const {
  const auto conv = [&](int number, int64_t from, int64_t to, int64_t kernel, const Conv2d::Options& o) {
    const std::string n = std::to_string(number);
    return ConvNorm(scope / ("conv" + n), scope / ("bn" + n), from, to, kernel, o);
  };
  Block block;
  int64_t out = stage.planes;
  if (config_.bottleneck) {
    const int64_t width = stage.planes * config_.width_per_group / 64 * config_.groups;
    out = 4 * stage.planes;
    block.convs = {conv(1, in, width, 1, before_norm(1, 1)),
                   conv(2, width, width, 3, before_norm(3, stage.stride, config_.groups, stage.dilation)),
                   conv(3, width, out, 1, before_norm(1, 1))};
  } else {
    block.convs = {conv(1, in, out, 3, before_norm(3, stage.stride)), conv(2, out, out, 3, before_norm(3, 1))};
  }
  if (stage.stride != 1 || in != out) {
    block.downsample =
        ConvNorm(scope / "downsample" / 0, scope / "downsample" / 1, in, out, 1, before_norm(1, stage.stride));
  }
  return block;
}

Tensor ResNet::run(const Block& block, const Tensor& x) const {
  Tensor y = x;
  for (std::size_t i = 0; i + 1 < block.convs.size(); ++i) y = block.convs[i](y, relu_);
  return block.convs.back()(y, relu_, block.downsample ? (*block.downsample)(x) : x);
}

Tensor ResNet::forward(const Tensor& image, const Tensor&) const { return trace(image, {}); }

std::vector<std::string> ResNet::feature_layers() const {
  std::vector<std::string> layers = {"avgpool"};
  for (std::size_t s = 1; s <= config_.layers.size(); ++s) layers.push_back("layer" + std::to_string(s));
  layers.push_back("fc");
  return layers;
}

Tensor ResNet::trace(const Tensor& image, const LayerSeen& seen) const {
  check_images("resnet", image, config_.in_channels);
  Tensor x = stem_(image_for(image, compute_type()), relu_);
  if (config_.stem_pool) x = at::max_pool2d(x, 3, 2, 1);
  auto block = blocks_.begin();
  for (std::size_t stage = 0; stage < config_.layers.size(); ++stage) {
    for (int64_t i = 0; i < config_.layers[stage]; ++i) x = run(*block++, x);
    if (seen) seen("layer" + std::to_string(stage + 1), x);
  }
  return as_logits(classified(fc_, x.mean({2, 3}), "avgpool", "fc", seen));
}

void ResNet::prepare() {
  stem_.fold();
  for (Block& block : blocks_) {
    for (ConvNorm& conv : block.convs) conv.fold();
    if (block.downsample) block.downsample->fold();
  }
}

}  // namespace sextant::networks::torchvision
