// The image tower of CLIP (Radford et al. 2021) that is a ResNet with three stem convolutions and attention pooling.
#include <cmath>
#include <optional>

#include "clip/towers.h"
#include "internal/kernels/attention.h"

namespace sextant::networks::clip {
namespace {

/// Strides are average pools before a convolution, on the shortcut too.
struct Bottleneck {
  static constexpr int64_t kExpansion = 4;

  Bottleneck(const Scope& scope, int64_t in, int64_t planes, int64_t stride_, Relu relu_)
      : stride(stride_),
        relu(relu_),
        conv1(scope / "conv1", in, planes, 1, {.bias = false}),
        conv2(scope / "conv2", planes, planes, 3, {.padding = 1, .bias = false}),
        conv3(scope / "conv3", planes, planes * kExpansion, 1, {.bias = false}),
        bn1(scope / "bn1", planes),
        bn2(scope / "bn2", planes),
        bn3(scope / "bn3", planes * kExpansion) {
    if (stride == 1 && in == planes * kExpansion) return;
    shortcut = Conv2d(scope / "downsample" / 0, in, planes * kExpansion, 1, {.bias = false});
    shortcut_bn = BatchNorm2d(scope / "downsample" / 1, planes * kExpansion);
  }

  Tensor pool(const Tensor& x) const { return stride > 1 ? at::avg_pool2d(x, stride) : x; }

  Tensor operator()(const Tensor& x) const {
    Tensor h = relu(bn1(conv1(x)));
    h = pool(relu(bn2(conv2(h))));
    h = bn3(conv3(h));
    return relu(h + (shortcut ? shortcut_bn((*shortcut)(pool(x))) : x));
  }

  int64_t stride;
  Relu relu;
  Conv2d conv1, conv2, conv3;
  BatchNorm2d bn1, bn2, bn3;
  std::optional<Conv2d> shortcut;
  BatchNorm2d shortcut_bn;
};

/// The mean of all pixels asks, all pixels and the mean answer.
struct AttentionPool {
  AttentionPool(const Scope& scope, int64_t grid, int64_t width, int64_t heads_, int64_t out)
      : heads(heads_),
        position(scope.weight("positional_embedding", {grid * grid + 1, width})),
        q(scope / "q_proj", width, width),
        k(scope / "k_proj", width, width),
        v(scope / "v_proj", width, width),
        c(scope / "c_proj", width, out) {}

  Tensor operator()(const Tensor& image) const {
    const Tensor pixels = image.flatten(2).transpose(1, 2);
    const Tensor x = at::cat({pixels.mean(1, true), pixels}, 1) + position;
    const int64_t B = x.size(0), D = x.size(2) / heads;
    const auto by_head = [&](const Tensor& t) { return t.reshape({B, t.size(1), heads, D}).transpose(1, 2); };
    const Tensor mean = x.narrow(1, 0, 1);
    return c(kernels::attention(by_head(q(mean)), by_head(k(x)), by_head(v(x)), 1 / std::sqrt(D)).squeeze(1));
  }

  int64_t heads;
  Tensor position;
  Linear q, k, v, c;
};

class ResNet : public Visual {
 public:
  ResNet(const Scope& scope, const Config& config)
      : relu_{config.softplus_beta},
        conv1_(scope / "conv1", 3, config.vision_width / 2, 3, {.stride = 2, .padding = 1, .bias = false}),
        conv2_(scope / "conv2", config.vision_width / 2, config.vision_width / 2, 3, {.padding = 1, .bias = false}),
        conv3_(scope / "conv3", config.vision_width / 2, config.vision_width, 3, {.padding = 1, .bias = false}),
        bn1_(scope / "bn1", config.vision_width / 2),
        bn2_(scope / "bn2", config.vision_width / 2),
        bn3_(scope / "bn3", config.vision_width),
        pool_(scope / "attnpool", config.image_resolution / 32, config.vision_feature_width(), config.vision_heads(),
              config.embed_dim) {
    int64_t in = config.vision_width;
    for (int64_t stage = 0; stage < 4; ++stage) {
      const int64_t planes = config.vision_width << stage;
      for (int64_t i = 0; i < config.resnet_layers[stage]; ++i) {
        const int64_t stride = stage > 0 && i == 0 ? 2 : 1;
        blocks_.emplace_back(scope / c10::str("layer", stage + 1) / i, in, planes, stride, relu_);
        in = planes * Bottleneck::kExpansion;
      }
    }
  }

  Tensor forward(const Tensor& image) const override {
    Tensor x = relu_(bn1_(conv1_(image)));
    x = relu_(bn2_(conv2_(x)));
    x = at::avg_pool2d(relu_(bn3_(conv3_(x))), 2);
    for (const Bottleneck& block : blocks_) x = block(x);
    return pool_(x);
  }

 private:
  Relu relu_;
  Conv2d conv1_, conv2_, conv3_;
  BatchNorm2d bn1_, bn2_, bn3_;
  std::vector<Bottleneck> blocks_;
  AttentionPool pool_;
};

}  // namespace

std::unique_ptr<Visual> make_resnet(const Scope& scope, const Config& config) {
  return std::make_unique<ResNet>(scope, config);
}

}  // namespace sextant::networks::clip
