// WebP by libwebp.
#include <webp/decode.h>

#include <stdexcept>

#include "formats/codecs.h"

namespace sextant::data {

Tensor decode_webp(Bytes bytes) {
  WebPBitstreamFeatures features = {};
  if (WebPGetFeatures(bytes.data(), bytes.size(), &features) != VP8_STATUS_OK)
    throw std::runtime_error("is a damaged WebP");
  if (features.has_animation) throw std::runtime_error("is an animated WebP; give its frames as PNG files");
  // A flat image takes next to nothing: the bound keeps tiny files from asking for a gigabyte.
  const Tensor image =
      make_image(static_cast<uint64_t>(features.height), static_cast<uint64_t>(features.width), 3, bytes.size(), 16384);
  const auto room = static_cast<std::size_t>(image.numel());
  const auto stride = static_cast<int>(image.stride(0));
  if (WebPDecodeRGBInto(bytes.data(), bytes.size(), image.data_ptr<uint8_t>(), room, stride) == nullptr)
    throw std::runtime_error("is a damaged WebP");
  return image;
}

}  // namespace sextant::data
