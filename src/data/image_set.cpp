#include "files.h"
#include "sextant/data/images.h"

namespace sextant::data {

Tensor to_pixels(const Tensor& bytes, at::Device device) { return bytes.to(device, at::kFloat).div_(127.5).sub_(1); }

int64_t ImageSet::label(int64_t index) const { return labels_.defined() ? labels_[index].item<int64_t>() : -1; }

Tensor ImageSet::batch(int64_t begin, int64_t count) const {
  Tensor images;
  for (int64_t i = 0; i < count; ++i) {
    const Tensor image = this->image(begin + i).permute({1, 2, 0});
    if (!images.defined()) images = at::empty({count, image.size(0), image.size(1), image.size(2)}, at::kByte);
    if (image.sizes() != images.sizes().slice(1)) {
      throw DataError(c10::str(name(begin + i), ": is ", image.size(1), "x", image.size(0), " with ", image.size(2),
                               " channels, but ", name(begin), " is ", images.size(2), "x", images.size(1), " with ",
                               images.size(3), "; resize them to one size"));
    }
    images[i].copy_(image);
  }
  return images;
}

}  // namespace sextant::data
