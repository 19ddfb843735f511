#include <cmath>

#include "sextant/report/drawing.h"
#include "sextant/runtime/error.h"

namespace sextant::report {

Tensor grid(const Tensor& images, const GridStyle& style) {
  const bool fits = images.dim() == 4 && images.scalar_type() == at::kByte && images.numel() > 0 &&
                    (images.size(3) == 1 || images.size(3) == 3);
  if (!fits) {
    throw ShapeError(
        c10::str("grid: expected images uint8 [N, H, W, 1 or 3], got ", images.scalar_type(), " ", images.sizes()));
  }
  if (style.columns < 0 || style.padding < 0 || style.scale < 1) {
    throw UsageError(c10::str("grid: expected columns and padding of 0 or more and a scale of 1 or more, got ",
                              style.columns, ", ", style.padding, " and ", style.scale));
  }
  const int64_t n = images.size(0);
  const int64_t square = static_cast<int64_t>(std::ceil(std::sqrt(static_cast<double>(n))));
  const int64_t columns = std::min(n, style.columns > 0 ? style.columns : square);
  const int64_t rows = (n + columns - 1) / columns;
  const Tensor enlarged = images.repeat_interleave(style.scale, 1).repeat_interleave(style.scale, 2);
  const int64_t height = enlarged.size(1);
  const int64_t width = enlarged.size(2);
  const int64_t pad = style.padding;
  Tensor picture = at::full({rows * (height + pad) + pad, columns * (width + pad) + pad, images.size(3)},
                            style.background, at::kByte);
  for (int64_t i = 0; i < n; ++i) {
    const int64_t top = pad + (i / columns) * (height + pad);
    const int64_t left = pad + (i % columns) * (width + pad);
    picture.narrow(0, top, height).narrow(1, left, width).copy_(enlarged[i]);
  }
  return picture;
}

}  // namespace sextant::report
