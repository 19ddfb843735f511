// A build without libwebp.
#include <stdexcept>

#include "formats/codecs.h"

namespace sextant::data {

Tensor decode_webp(Bytes) {
  throw std::runtime_error(
      "is a WebP image, which this build does not read; install libwebp's headers and build again, or convert it to "
      "PNG");
}

}  // namespace sextant::data
