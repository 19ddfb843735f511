// Windows bitmaps without compression: a file header of 14 bytes, a header of 40 or more that begins with its size, a
// palette of images of up to 8 bits, then rows of a multiple of four bytes, the lowest first unless the height is
// negative.
#include <stdexcept>
#include <vector>

#include "formats/codecs.h"

namespace sextant::data {
namespace {

/// A little-endian number; the caller has checked that it is there.
uint64_t number(Bytes bytes, std::size_t at, std::size_t size) {
  uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value |= uint64_t{bytes[at + i]} << (8 * i);
  return value;
}

struct Bitmap {
  uint64_t width = 0, height = 0;
  bool top_down = false;
  std::size_t bits = 0;
  std::size_t pixels = 0;   ///< offset of the first row
  std::size_t palette = 0;  ///< offset of the first colour: blue, green, red, nothing
  std::size_t colours = 0;
};

Bitmap read_bitmap_header(Bytes bytes) {
  constexpr std::size_t kFileHeader = 14, kInfoHeader = 40;
  if (bytes.size() < kFileHeader + kInfoHeader) throw std::runtime_error("is a truncated BMP");
  const uint64_t header = number(bytes, 14, 4);
  if (header < kInfoHeader || header > bytes.size() - kFileHeader)
    throw std::runtime_error("is a BMP of an old or damaged header; convert it to PNG");
  const auto width = static_cast<int32_t>(number(bytes, 18, 4));
  const auto height = static_cast<int32_t>(number(bytes, 22, 4));
  constexpr int32_t kMost = 65535;
  if (width <= 0 || width > kMost || height == 0 || height < -kMost || height > kMost)
    throw std::runtime_error(c10::str("is a BMP that claims ", width, "x", height, " pixels"));
  Bitmap bitmap;
  bitmap.width = static_cast<uint64_t>(width);
  bitmap.top_down = height < 0;
  bitmap.height = static_cast<uint64_t>(bitmap.top_down ? -height : height);
  bitmap.pixels = number(bytes, 10, 4);
  bitmap.bits = number(bytes, 28, 2);
  const uint64_t compression = number(bytes, 30, 4);
  constexpr uint64_t kNone = 0, kMasks = 3;
  bool plain = compression == kNone;
  if (compression == kMasks && bitmap.bits == 32 && bytes.size() >= 66) {
    // Masks lie after a header of 40 bytes and within a longer one: at the same place.
    plain = number(bytes, 54, 4) == 0x00ff0000 && number(bytes, 58, 4) == 0x0000ff00 && number(bytes, 62, 4) == 0xff;
  }
  const bool palette = bitmap.bits == 1 || bitmap.bits == 4 || bitmap.bits == 8;
  if (!plain || (!palette && bitmap.bits != 24 && bitmap.bits != 32)) {
    throw std::runtime_error(c10::str("is a BMP of ", bitmap.bits, " bits a pixel and compression ", compression,
                                      "; 1, 4, 8, 24 and 32 bits without compression are read, convert it to PNG"));
  }
  if (palette) {
    const uint64_t used = number(bytes, 46, 4), most = uint64_t{1} << bitmap.bits;
    bitmap.colours = used == 0 ? most : used;
    bitmap.palette = kFileHeader + header;
    if (bitmap.colours > 256 || bitmap.palette + 4 * bitmap.colours > bytes.size())
      throw std::runtime_error("is a BMP whose palette is damaged");
  }
  return bitmap;
}

}  // namespace

bool is_bmp(Bytes bytes) { return bytes.size() >= 2 && bytes[0] == 'B' && bytes[1] == 'M'; }

Tensor decode_bmp(Bytes bytes) {
  const Bitmap bitmap = read_bitmap_header(bytes);
  const uint64_t stride = (bitmap.width * bitmap.bits + 31) / 32 * 4;
  if (bitmap.pixels > bytes.size() || stride * bitmap.height > bytes.size() - bitmap.pixels)
    throw std::runtime_error("is a truncated BMP");
  // A grey palette means a grey image.
  bool grey = bitmap.bits <= 8;
  for (std::size_t i = 0; i < bitmap.colours; ++i) {
    const Bytes colour = bytes.subspan(bitmap.palette + 4 * i, 3);
    grey = grey && colour[0] == colour[1] && colour[1] == colour[2];
  }
  const std::size_t channels = grey ? 1 : 3;
  const Tensor image = make_image(bitmap.height, bitmap.width, channels, bytes.size(), 8);
  uint8_t* out = image.data_ptr<uint8_t>();
  for (uint64_t y = 0; y < bitmap.height; ++y) {
    const Bytes row = bytes.subspan(bitmap.pixels + (bitmap.top_down ? y : bitmap.height - 1 - y) * stride, stride);
    for (uint64_t x = 0; x < bitmap.width; ++x) {
      Bytes pixel = row.subspan(x * bitmap.bits / 8);
      if (bitmap.bits <= 8) {
        // The leftmost pixel has the highest bits of its byte.
        const std::size_t below = 8 - bitmap.bits - x * bitmap.bits % 8;
        const std::size_t colour = pixel[0] >> below & ((1U << bitmap.bits) - 1);
        if (colour >= bitmap.colours) throw std::runtime_error("is a BMP with a pixel beyond its palette");
        pixel = bytes.subspan(bitmap.palette + 4 * colour, 3);
      }
      for (std::size_t c = 0; c < channels; ++c) *out++ = pixel[grey ? 0 : 2 - c];
    }
  }
  return image;
}

}  // namespace sextant::data
