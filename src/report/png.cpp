#include <png.h>

#include "internal/runtime/files.h"
#include "picture.h"
#include "sextant/report/drawing.h"
#include "sextant/runtime/error.h"

namespace sextant::report {

void check_picture(const char* caller, const Tensor& picture) {
  if (picture.defined() && picture.dim() == 3 && picture.scalar_type() == at::kByte && picture.numel() > 0 &&
      (picture.size(2) == 1 || picture.size(2) == 3)) {
    return;
  }
  throw ShapeError(std::string(caller) + ": expected a picture uint8 [H, W, 1 or 3], got " +
                   (picture.defined() ? c10::str(picture.scalar_type(), " ", picture.sizes()) : "none"));
}

void write_png(const std::filesystem::path& path, const Tensor& picture) {
  check_picture("write_png", picture);
  const Tensor pixels = picture.contiguous();
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(pixels.size(1));
  image.height = static_cast<png_uint_32>(pixels.size(0));
  image.format = pixels.size(2) == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  const auto failed = [&] { return Error("cannot encode " + path.string() + " as PNG: " + image.message); };
  png_alloc_size_t size = 0;
  if (!png_image_write_get_memory_size(image, size, 0, pixels.data_ptr(), 0, nullptr)) throw failed();
  std::string bytes(size, '\0');
  if (!png_image_write_to_memory(&image, bytes.data(), &size, 0, pixels.data_ptr(), 0, nullptr)) throw failed();
  bytes.resize(size);
  write_atomically(path, bytes);
}

}  // namespace sextant::report
