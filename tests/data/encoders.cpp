#include "data/encoders.h"

#include <zlib.h>

#include <cstdio>
#include <fstream>
#include <iterator>
// jpeglib.h needs <cstdio> before it.
#include <jpeglib.h>
#include <png.h>

namespace sextant::testing {

Tensor noise(at::IntArrayRef sizes) { return at::randint(256, sizes, at::kByte); }

std::string bytes_of(const Tensor& tensor) {
  const Tensor data = tensor.contiguous();
  return {static_cast<const char*>(data.data_ptr()), data.nbytes()};
}

namespace {

/// `raw` rows of a fixed length each.
std::string encode_png(const std::string& raw, int64_t height, int64_t width, int bits, int colour,
                       const Tensor& palette) {
  std::string out;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  const auto append = [](png_structp writer, png_bytep data, std::size_t size) {
    static_cast<std::string*>(png_get_io_ptr(writer))->append(reinterpret_cast<char*>(data), size);
  };
  png_set_write_fn(png, &out, append, nullptr);
  png_set_IHDR(png, info, static_cast<png_uint_32>(width), static_cast<png_uint_32>(height), bits, colour,
               PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (palette.defined()) {
    png_set_PLTE(png, info, reinterpret_cast<png_color*>(palette.data_ptr()), static_cast<int>(palette.size(0)));
  }
  png_write_info(png, info);
  const std::size_t stride = raw.size() / static_cast<std::size_t>(height);
  for (int64_t y = 0; y < height; ++y) {
    png_write_row(png, reinterpret_cast<png_const_bytep>(raw.data() + static_cast<std::size_t>(y) * stride));
  }
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return out;
}

}  // namespace

std::string png(const Tensor& pixels) {
  if (pixels.dim() == 2) {
    std::string raw;
    for (const int32_t value :
         std::vector<int32_t>(pixels.data_ptr<int32_t>(), pixels.data_ptr<int32_t>() + pixels.numel())) {
      raw += {static_cast<char>(value >> 8), static_cast<char>(value & 255)};
    }
    return encode_png(raw, pixels.size(0), pixels.size(1), 16, PNG_COLOR_TYPE_GRAY, {});
  }
  constexpr int kColours[] = {PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB,
                              PNG_COLOR_TYPE_RGB_ALPHA};
  return encode_png(bytes_of(pixels), pixels.size(0), pixels.size(1), 8, kColours[pixels.size(2) - 1], {});
}

std::string palette_png(const Tensor& indices, const Tensor& colours) {
  return encode_png(bytes_of(indices), indices.size(0), indices.size(1), 8, PNG_COLOR_TYPE_PALETTE,
                    colours.contiguous());
}

std::string jpeg(const Tensor& pixels) {
  jpeg_compress_struct codec = {};
  jpeg_error_mgr errors = {};
  codec.err = jpeg_std_error(&errors);
  jpeg_create_compress(&codec);
  unsigned char* out = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&codec, &out, &size);
  codec.image_height = static_cast<JDIMENSION>(pixels.size(0));
  codec.image_width = static_cast<JDIMENSION>(pixels.size(1));
  codec.input_components = static_cast<int>(pixels.size(2));
  codec.in_color_space = pixels.size(2) == 1 ? JCS_GRAYSCALE : pixels.size(2) == 3 ? JCS_RGB : JCS_CMYK;
  jpeg_set_defaults(&codec);
  jpeg_set_quality(&codec, 100, TRUE);
  jpeg_start_compress(&codec, TRUE);
  const Tensor rows = pixels.contiguous();
  while (codec.next_scanline < codec.image_height) {
    JSAMPROW row = rows.data_ptr<uint8_t>() + codec.next_scanline * rows.stride(0);
    jpeg_write_scanlines(&codec, &row, 1);
  }
  jpeg_finish_compress(&codec);
  const std::string bytes(reinterpret_cast<char*>(out), size);
  jpeg_destroy_compress(&codec);
  free(out);
  return bytes;
}

std::string gzip(const std::string& bytes) {
  z_stream stream = {};
  deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string tar(const std::vector<std::pair<std::string, std::string>>& files) {
  std::string archive;
  for (const auto& [name, contents] : files) {
    std::string header(512, '\0');
    header.replace(0, name.size(), name);
    char size[13];
    std::snprintf(size, sizeof size, "%011lo ", static_cast<unsigned long>(contents.size()));
    header.replace(124, 12, size, 12);
    header[156] = '0';
    header.replace(257, 6, "ustar", 6);
    archive += header + contents + std::string((512 - contents.size() % 512) % 512, '\0');
  }
  return archive + std::string(1024, '\0');
}

std::string idx(const Tensor& elements) {
  std::string bytes = {0, 0, 8, static_cast<char>(elements.dim())};
  for (const int64_t size : elements.sizes()) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(size >> shift & 255);
  }
  return bytes + bytes_of(elements);
}

}  // namespace sextant::testing
