#include "resize.h"

namespace sextant::networks {
namespace {

/// x with dimension `dim` resampled to `size`.
Tensor interpolate(const Tensor& x, int64_t dim, int64_t size) {
  const int64_t last = x.size(dim) - 1;
  const double scale = static_cast<double>(x.size(dim)) / static_cast<double>(size);
  const Tensor at = at::arange(size, at::kDouble) * scale;
  const Tensor low = at.floor().to(at::kLong).clamp_max(last);
  const Tensor high = (low + 1).clamp_max(last);
  std::vector<int64_t> shape(static_cast<std::size_t>(x.dim()), 1);
  shape[static_cast<std::size_t>(dim)] = size;
  const Tensor weight = (at - low).view(shape).to(x.device(), x.scalar_type());
  const Tensor from = x.index_select(dim, low.to(x.device()));
  return from + (x.index_select(dim, high.to(x.device())) - from) * weight;
}

}  // namespace

Tensor resize_tensorflow1(const Tensor& x, int64_t height, int64_t width) {
  return interpolate(interpolate(x, 3, width), 2, height);
}

Tensor resize_bilinear(const Tensor& x, int64_t height, int64_t width) {
  return at::upsample_bilinear2d(x, {height, width}, false);
}

Tensor resize_pillow(const Tensor& x, int64_t height, int64_t width) {
  if (x.size(2) == height && x.size(3) == width) return x;
  // In float32 libtorch's weights are off by 1e-5; Pillow's are computed in float64.
  return at::_upsample_bicubic2d_aa(x.to(at::kDouble), {height, width}, /*align_corners=*/false).to(x.scalar_type());
}

}  // namespace sextant::networks
