// The sizes of EfficientNet (Tan & Le 2019) and EfficientNetV2 (Tan & Le 2021).
#include <cmath>

#include "imagenet.h"
#include "internal/networks/family.h"
#include "torchvision/efficientnet.h"

namespace sextant::networks::torchvision {
namespace {

using Rows = std::vector<std::vector<int64_t>>;  // fused, expand, kernel, stride, in, out, layers

Preset efficientnet(const std::string& name, int64_t size, const Rows& stages, int64_t last_channels, double norm_eps) {
  return imagenet_preset(name, "efficientnet", size,
                         {{"stages", stages}, {"last_channels", last_channels}, {"norm_eps", norm_eps}});
}

/// The multiple of 8 nearest to `channels` that is no less than nine tenths of it.
int64_t multiple_of_8(double channels) {
  const auto nearest = std::max<int64_t>(8, static_cast<int64_t>(channels + 4) / 8 * 8);
  return static_cast<double>(nearest) < 0.9 * channels ? nearest + 8 : nearest;
}

/// The base network, wider and deeper.
Preset scaled(int number, double width, double depth, int64_t size, double norm_eps) {
  Rows stages = {{0, 1, 3, 1, 32, 16, 1},  {0, 6, 3, 2, 16, 24, 2},   {0, 6, 5, 2, 24, 40, 2},  {0, 6, 3, 2, 40, 80, 3},
                 {0, 6, 5, 1, 80, 112, 3}, {0, 6, 5, 2, 112, 192, 4}, {0, 6, 3, 1, 192, 320, 1}};
  for (auto& row : stages) {
    row[4] = multiple_of_8(static_cast<double>(row[4]) * width);
    row[5] = multiple_of_8(static_cast<double>(row[5]) * width);
    row[6] = static_cast<int64_t>(std::ceil(static_cast<double>(row[6]) * depth));
  }
  return efficientnet("efficientnet_b" + std::to_string(number), size, stages, 4 * stages.back()[5], norm_eps);
}

/// Its published weights are evaluated on images that were resized with the bicubic filter.
Preset of_bicubic(Preset preset) {
  preset.config["input"]["resize"] = "bicubic";
  return preset;
}

/// Its weights were trained on images in [-1, 1], not on ImageNet's convention.
Preset of_half(Preset preset) {
  preset.config["input"]["mean"] = preset.config["input"]["std"] = {0.5, 0.5, 0.5};
  return preset;
}

std::vector<Preset> efficientnet_presets() {
  const Rows small = {{1, 1, 3, 1, 24, 24, 2},  {1, 4, 3, 2, 24, 48, 4},   {1, 4, 3, 2, 48, 64, 4},
                      {0, 4, 3, 2, 64, 128, 6}, {0, 6, 3, 1, 128, 160, 9}, {0, 6, 3, 2, 160, 256, 15}};
  const Rows medium = {{1, 1, 3, 1, 24, 24, 3},  {1, 4, 3, 2, 24, 48, 5},    {1, 4, 3, 2, 48, 80, 5},
                       {0, 4, 3, 2, 80, 160, 7}, {0, 6, 3, 1, 160, 176, 14}, {0, 6, 3, 2, 176, 304, 18},
                       {0, 6, 3, 1, 304, 512, 5}};
  const Rows large = {{1, 1, 3, 1, 32, 32, 4},   {1, 4, 3, 2, 32, 64, 7},    {1, 4, 3, 2, 64, 96, 7},
                      {0, 4, 3, 2, 96, 192, 10}, {0, 6, 3, 1, 192, 224, 19}, {0, 6, 3, 2, 224, 384, 25},
                      {0, 6, 3, 1, 384, 640, 7}};
  return {of_bicubic(scaled(0, 1.0, 1.0, 224, 1e-5)),
          scaled(1, 1.0, 1.1, 240, 1e-5),
          of_bicubic(scaled(2, 1.1, 1.2, 288, 1e-5)),
          of_bicubic(scaled(3, 1.2, 1.4, 300, 1e-5)),
          of_bicubic(scaled(4, 1.4, 1.8, 380, 1e-5)),
          of_bicubic(scaled(5, 1.6, 2.2, 456, 1e-3)),
          of_bicubic(scaled(6, 1.8, 2.6, 528, 1e-3)),
          of_bicubic(scaled(7, 2.0, 3.1, 600, 1e-3)),
          efficientnet("efficientnet_v2_s", 384, small, 1280, 1e-3),
          efficientnet("efficientnet_v2_m", 480, medium, 1280, 1e-3),
          of_half(of_bicubic(efficientnet("efficientnet_v2_l", 480, large, 1280, 1e-3)))};
}

}  // namespace

Family efficientnet_family() {
  return {.type = "efficientnet",
          .role = Role::kClassifier,
          .make = make_from<EfficientNet, efficientnet_config>,
          .presets = efficientnet_presets};
}

}  // namespace sextant::networks::torchvision
