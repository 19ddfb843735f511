#include "formats/codecs.h"

#include <algorithm>
#include <stdexcept>

#include "sextant/data/images.h"

namespace sextant::data {

Tensor make_image(uint64_t height, uint64_t width, uint64_t channels, std::size_t file_size, uint64_t most_per_byte) {
  // A flat image of 4096 x 4096 takes next to nothing in some formats; Pillow too refuses images above the other limit.
  constexpr uint64_t kAlwaysFine = uint64_t{1} << 24, kNever = 178'956'970;
  // Width and height are below 2^16 and 2^31: no overflow.
  const uint64_t pixels = height * width;
  if (pixels == 0 || pixels > kNever || pixels > std::max(kAlwaysFine, most_per_byte * file_size)) {
    throw std::runtime_error("claims " + std::to_string(width) + "x" + std::to_string(height) +
                             " pixels, none or more than the file can hold");
  }
  return at::empty({static_cast<int64_t>(height), static_cast<int64_t>(width), static_cast<int64_t>(channels)},
                   at::kByte);
}

namespace {

bool begins(Bytes bytes, std::size_t at, std::string_view text) {
  return bytes.size() >= at + text.size() && checkpoint::as_text(bytes.subspan(at, text.size())) == text;
}

/// [H, W, C]
Tensor decoded(Bytes bytes) {
  using namespace std::string_view_literals;
  if (is_png(bytes)) return decode_png(bytes);
  if (is_jpeg(bytes)) return decode_jpeg(bytes);
  if (is_bmp(bytes)) return decode_bmp(bytes);
  if (begins(bytes, 0, "RIFF") && begins(bytes, 8, "WEBP")) return decode_webp(bytes);
  if (begins(bytes, 0, "II*\0"sv) || begins(bytes, 0, "MM\0*"sv))
    throw std::runtime_error("is a TIFF image, which is not read; convert it to PNG");
  throw std::runtime_error("is no PNG, JPEG, BMP or WebP image");
}

/// ITU-R 601 luma in 16-bit fixed point, as PIL computes it.
Tensor luma(const Tensor& rgb) {
  const Tensor wide = rgb.to(at::kInt);
  const Tensor sum = wide[0] * 19595 + wide[1] * 38470 + wide[2] * 7471 + 0x8000;
  return sum.bitwise_right_shift(16).to(at::kByte).unsqueeze(0);
}

}  // namespace

Tensor with_channels(const Tensor& image, int64_t channels) {
  if (channels == 3 && image.size(0) == 1) return image.expand({3, -1, -1}).contiguous();
  if (channels == 1 && image.size(0) == 3) return luma(image);
  return image;
}

std::string note_of_colour(const std::string& source, const Tensor& image, int64_t channels) {
  const bool loses = channels == 1 && image.size(0) == 3 && image.scalar_type() == at::kByte &&
                     !at::equal(image[0].expand_as(image), image);
  return loses ? source + ": the images have colours, the network takes one channel; they are read in grey" : "";
}

Tensor read_image(const std::filesystem::path& path, int64_t channels) {
  const auto file = map_file(path);
  try {
    return with_channels(decoded(file->bytes()).permute({2, 0, 1}).contiguous(), channels);
  } catch (const std::runtime_error& problem) {
    throw bad_file(path, problem.what());
  }
}

}  // namespace sextant::data
