#include "images/random_crop.h"

#include <algorithm>
#include <cmath>

namespace sextant::training {
namespace {

int64_t place(double draw, int64_t choices) { return static_cast<int64_t>(draw * static_cast<double>(choices)); }

}  // namespace

Tensor random_crop(const Tensor& image, int64_t side, double smallest, const CropDraw& draw) {
  const auto most = static_cast<int64_t>(std::ceil(static_cast<double>(side) / smallest));
  const int64_t shorter = side + place(draw.scale, most - side + 1);
  Tensor x = image.to(at::kFloat).unsqueeze(0);
  while (std::min(x.size(2), x.size(3)) >= 2 * shorter) x = at::avg_pool2d(x, {2, 2}).round();
  const double scale = static_cast<double>(shorter) / static_cast<double>(std::min(x.size(2), x.size(3)));
  const auto scaled = [&](int64_t length) { return std::llrint(scale * static_cast<double>(length)); };
  const std::vector<int64_t> size = {scaled(x.size(2)), scaled(x.size(3))};
  if (x.size(2) != size[0] || x.size(3) != size[1]) {
    x = at::_upsample_bicubic2d_aa(x, size, /*align_corners=*/false).round();
  }
  return x[0]
      .clamp(0, 255)
      .to(at::kByte)
      .narrow(1, place(draw.down, size[0] - side + 1), side)
      .narrow(2, place(draw.right, size[1] - side + 1), side)
      .contiguous();
}

}  // namespace sextant::training
