#include <png.h>

#include <csetjmp>
#include <cstring>
#include <stdexcept>
#include <vector>

#include "formats/codecs.h"

namespace sextant::data {
namespace {

/// What the C callbacks see. libpng reports errors by longjmp, so nothing with a destructor may live in its frames.
struct Reader {
  Bytes rest;
  char message[160] = "";
};

void read_bytes(png_structp png, png_bytep out, std::size_t count) {
  auto* reader = static_cast<Reader*>(png_get_io_ptr(png));
  if (count > reader->rest.size()) png_error(png, "truncated");
  std::memcpy(out, reader->rest.data(), count);
  reader->rest = reader->rest.subspan(count);
}

void on_error(png_structp png, png_const_charp message) {
  auto* reader = static_cast<Reader*>(png_get_error_ptr(png));
  std::strncpy(reader->message, message, sizeof reader->message - 1);
  longjmp(png_jmpbuf(png), 1);
}

void on_warning(png_structp, png_const_charp) {}

/// The two halves of decoding, false after an error.
bool read_header(png_structp png, png_infop info) {
  if (setjmp(png_jmpbuf(png))) return false;
  png_read_info(png, info);
  png_set_expand(png);    // palette, fewer than 8 bits, transparency
  png_set_strip_16(png);  // the upper 8 bits
  png_set_strip_alpha(png);
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
  return true;
}

bool read_rows(png_structp png, png_bytepp rows) {
  if (setjmp(png_jmpbuf(png))) return false;
  png_read_image(png, rows);
  png_read_end(png, nullptr);
  return true;
}

}  // namespace

bool is_png(Bytes bytes) { return bytes.size() >= 8 && png_sig_cmp(bytes.data(), 0, 8) == 0; }

Tensor decode_png(Bytes bytes) {
  Reader reader{bytes};
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader, on_error, on_warning);
  png_infop info = png ? png_create_info_struct(png) : nullptr;
  const struct Guard {
    png_structp* png;
    png_infop* info;
    ~Guard() { png_destroy_read_struct(png, info, nullptr); }
  } guard{&png, &info};
  if (!info) throw std::runtime_error("cannot be decoded: out of memory");
  png_set_read_fn(png, &reader, read_bytes);
  png_set_user_limits(png, 65535, 65535);
  const auto broken = [&] { return std::runtime_error(std::string("is a damaged PNG: ") + reader.message); };
  if (!read_header(png, info)) throw broken();
  const std::size_t channels = png_get_channels(png, info);
  // Deflate shrinks at most 1032 to 1, and a byte of gray holds up to 8 pixels.
  const Tensor image =
      make_image(png_get_image_height(png, info), png_get_image_width(png, info), channels, bytes.size(), 8 * 1032);
  if (png_get_rowbytes(png, info) != static_cast<std::size_t>(image.stride(0)) || (channels != 1 && channels != 3)) {
    throw std::runtime_error("is a PNG of an unexpected layout");
  }
  std::vector<png_bytep> rows;
  for (int64_t y = 0; y < image.size(0); ++y) rows.push_back(image.data_ptr<uint8_t>() + y * image.stride(0));
  if (!read_rows(png, rows.data())) throw broken();
  return image;
}

}  // namespace sextant::data
