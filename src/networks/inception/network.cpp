// Inception-v3 (Szegedy et al. 2016) as the Frechet inception distance uses it.
#include "inception/network.h"

#include <c10/util/StringUtil.h>

#include <algorithm>
#include <string_view>

#include "config_reader.h"
#include "conv_norm.h"
#include "internal/kernels/activation.h"
#include "internal/kernels/convolution.h"
#include "internal/kernels/linear.h"
#include "resize.h"
#include "sextant/runtime/error.h"

namespace sextant::networks::inception {
namespace {

constexpr int64_t kSide = 299;
constexpr int64_t kSpatialChannels = 7;  ///< OpenAI's evaluator keeps so many of the layer's channels

constexpr std::pair<std::string_view, Resize> kResizes[] = {
    {"tensorflow1", Resize::kTensorflow1}, {"pytorch-fid", Resize::kPytorchFid}, {"clean-fid", Resize::kCleanFid}};

/// images [B, 3, H, W] from 0 to 255 as the network takes them, [B, 3, 299, 299].
Tensor scaled(const Tensor& x, Resize resize) {
  switch (resize) {
    case Resize::kTensorflow1:
      return (resize_tensorflow1(x, kSide, kSide) - 128) / 128;
    case Resize::kPytorchFid:
      return 2 * resize_bilinear(x / 255, kSide, kSide) - 1;
    case Resize::kCleanFid:
      return (resize_pillow(x, kSide, kSide).clamp(0, 255) - 128) / 128;
  }
  throw UsageError("inception-fid: unknown resize");
}

/// Average over 3x3 pixels, those outside the image not counted.
Tensor mean_around(const Tensor& x) { return at::avg_pool2d(x, 3, 1, 1, false, false); }
Tensor maximum_of_second(const Tensor& x) { return at::max_pool2d(x, 3, 2); }

}  // namespace

Config read_config(const nlohmann::json& model) {
  ConfigReader read("inception-fid", model);
  Config c;
  const auto resize = read.optional<std::string>("resize", "tensorflow1");
  const auto known =
      std::find_if(std::begin(kResizes), std::end(kResizes), [&](const auto& r) { return r.first == resize; });
  if (known == std::end(kResizes))
    read.fail("resize must be tensorflow1, pytorch-fid or clean-fid, got '" + resize + "'");
  c.resize = known->second;
  c.num_classes = read.optional("num_classes", c.num_classes);
  read.finish();
  if (c.num_classes < 1) read.fail("num_classes must be positive");
  return c;
}

Inception::Inception(const Config& config) : config_(config) {
  declare();
  fc_ = Linear(Scope(parameters_) / "fc", 2048, config.num_classes);
}

Tensor Inception::run(const std::string& name, const Tensor& x) const {
  const Unit& unit = units_.at(name);
  if (!unit.folded_weight.defined()) {
    return at::relu(
        unit.norm(kernels::frozen_conv2d(x, unit.weight, {}, {unit.stride, unit.rows, 1, 1, unit.columns})));
  }
  const kernels::ConvOptions options{unit.stride, unit.rows, 1, 1, unit.columns};
  return kernels::activate(kernels::frozen_conv2d(x, unit.folded_weight, unit.folded_bias, options), 0);
}

Tensor Inception::run_chain(const std::string& block, const std::vector<std::string>& names, Tensor x) const {
  for (const std::string& name : names) x = run(c10::str(block, ".", name), x);
  return x;
}

Tensor Inception::preprocess(const Tensor& images) const {
  if (images.dim() != 4 || images.size(1) != 3 || images.size(0) < 1) {
    throw ShapeError(c10::str("inception-fid: expected images [B, 3, H, W], got ", images.sizes()));
  }
  // Resizing stays in float32 in a bfloat16 network: its pixels have more than 8 bits.
  const Tensor x = images.to(at::promote_types(compute_type(), at::kFloat));
  return image_for(scaled(x, config_.resize), compute_type());
}

Tensor Inception::block_a(const std::string& block, const Tensor& x) const {
  return at::cat({run(block + ".branch1x1", x), run_chain(block, {"branch5x5_1", "branch5x5_2"}, x),
                  run_chain(block, {"branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"}, x),
                  run(block + ".branch_pool", mean_around(x))},
                 1);
}

Tensor Inception::block_b(const std::string& block, const Tensor& x) const {
  return at::cat({run(block + ".branch3x3", x),
                  run_chain(block, {"branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"}, x), maximum_of_second(x)},
                 1);
}

Tensor Inception::block_c(const std::string& block, const Tensor& x) const {
  return at::cat(
      {run(block + ".branch1x1", x), run_chain(block, {"branch7x7_1", "branch7x7_2", "branch7x7_3"}, x),
       run_chain(block, {"branch7x7dbl_1", "branch7x7dbl_2", "branch7x7dbl_3", "branch7x7dbl_4", "branch7x7dbl_5"}, x),
       run(block + ".branch_pool", mean_around(x))},
      1);
}

Tensor Inception::block_d(const std::string& block, const Tensor& x) const {
  return at::cat(
      {run_chain(block, {"branch3x3_1", "branch3x3_2"}, x),
       run_chain(block, {"branch7x7x3_1", "branch7x7x3_2", "branch7x7x3_3", "branch7x7x3_4"}, x), maximum_of_second(x)},
      1);
}

Tensor Inception::block_e(const std::string& block, const Tensor& x, bool pool_maximum) const {
  const Tensor middle = run(block + ".branch3x3_1", x);
  const Tensor right = run_chain(block, {"branch3x3dbl_1", "branch3x3dbl_2"}, x);
  const Tensor pooled = pool_maximum ? at::max_pool2d(x, 3, 1, 1) : mean_around(x);
  return at::cat({run(block + ".branch1x1", x), run(block + ".branch3x3_2a", middle),
                  run(block + ".branch3x3_2b", middle), run(block + ".branch3x3dbl_3a", right),
                  run(block + ".branch3x3dbl_3b", right), run(block + ".branch_pool", pooled)},
                 1);
}

FeatureNetwork::Features Inception::forward(const Tensor& images) const {
  Tensor x = preprocess(images);
  for (const char* name : {"Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3"}) x = run(name, x);
  x = maximum_of_second(x);
  for (const char* name : {"Conv2d_3b_1x1", "Conv2d_4a_3x3"}) x = run(name, x);
  x = maximum_of_second(x);
  for (const char* name : {"Mixed_5b", "Mixed_5c", "Mixed_5d"}) x = block_a(name, x);
  x = block_b("Mixed_6a", x);
  for (const char* name : {"Mixed_6b", "Mixed_6c"}) x = block_c(name, x);
  const Tensor before_6d = x;
  for (const char* name : {"Mixed_6d", "Mixed_6e"}) x = block_c(name, x);
  const Tensor feat768 = x.mean({2, 3});
  x = block_e("Mixed_7b", block_d("Mixed_7a", x), false);
  x = block_e("Mixed_7c", x, true);
  const Tensor pool = x.mean({2, 3});
  const Tensor unbiased = kernels::linear(pool, fc_.weight, {});

  // TensorFlow's tensor mixed_6/conv:0: the first branch of Mixed_6d, behind its ReLU, in the order row, column,
  // channel.
  const Tensor branch = run("Mixed_6d.branch1x1", before_6d).narrow(1, 0, kSpatialChannels);
  const Tensor spatial = branch.permute({0, 2, 3, 1}).reshape({images.size(0), -1});

  const at::ScalarType type = at::promote_types(compute_type(), at::kFloat);
  return {{"pool", pool.to(type)},
          {"feat768", feat768.to(type)},
          {"spatial", spatial.to(type)},
          {"logits_unbiased", unbiased.to(type)},
          {"logits", (unbiased + fc_.bias).to(type)}};
}

void Inception::prepare() {
  for (auto& [name, unit] : units_) std::tie(unit.folded_weight, unit.folded_bias) = folded(unit.weight, {}, unit.norm);
}

}  // namespace sextant::networks::inception
