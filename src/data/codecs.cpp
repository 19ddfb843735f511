#include "codecs.h"

#include <stdexcept>

#include "sextant/data/images.h"

namespace sextant::data {

Tensor make_image(uint64_t height, uint64_t width, uint64_t channels, std::size_t file_size, uint64_t most_per_byte) {
  constexpr uint64_t kSlack = 4096;
  // Width and height are below 2^16 and 2^31: no overflow.
  if (height == 0 || width == 0 || height * width / most_per_byte > file_size + kSlack) {
    throw std::runtime_error("claims " + std::to_string(width) + "x" + std::to_string(height) +
                             " pixels, none or more than the file can hold");
  }
  return at::empty({static_cast<int64_t>(height), static_cast<int64_t>(width), static_cast<int64_t>(channels)},
                   at::kByte);
}

namespace {

/// ITU-R 601 luma in 16-bit fixed point, as PIL computes it.
Tensor luma(const Tensor& rgb) {
  const Tensor wide = rgb.to(at::kInt);
  const Tensor sum = wide.select(2, 0) * 19595 + wide.select(2, 1) * 38470 + wide.select(2, 2) * 7471 + 0x8000;
  return sum.bitwise_right_shift(16).to(at::kByte).unsqueeze(2);
}

}  // namespace

Tensor read_image(const std::filesystem::path& path, int64_t channels) {
  const auto file = map_file(path);
  const Bytes bytes = file->bytes();
  try {
    if (!is_png(bytes) && !is_jpeg(bytes)) throw std::runtime_error("is neither a PNG nor a JPEG image");
    Tensor image = is_png(bytes) ? decode_png(bytes) : decode_jpeg(bytes);
    if (channels == 3 && image.size(2) == 1) image = image.expand({-1, -1, 3});
    if (channels == 1 && image.size(2) == 3) image = luma(image);
    return image.permute({2, 0, 1}).contiguous();
  } catch (const std::runtime_error& problem) {
    throw bad_file(path, problem.what());
  }
}

}  // namespace sextant::data
