#include <cstdio>
// jpeglib.h needs <cstdio> before it.
#include <jerror.h>
#include <jpeglib.h>

#include <algorithm>
#include <csetjmp>
#include <cstring>
#include <stdexcept>

#include "formats/codecs.h"

namespace sextant::data {
namespace {

/// libjpeg reports errors through this, and by longjmp: nothing with a destructor may live in its frames.
struct ErrorManager {
  jpeg_error_mgr base;  // first, so that libjpeg's pointer to it is one to this
  jmp_buf jump;
  char message[JMSG_LENGTH_MAX] = "";
};

[[noreturn]] void fail(j_common_ptr codec) {
  auto* errors = reinterpret_cast<ErrorManager*>(codec->err);
  codec->err->format_message(codec, errors->message);
  longjmp(errors->jump, 1);
}

/// libjpeg fills in what a truncated or corrupt file lacks and only warns; such an image must not pass.
void on_message(j_common_ptr codec, int level) {
  if (level >= 0) return;
  const int code = codec->err->msg_code;
  if (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER || code == JWRN_HUFF_BAD_CODE || code == JWRN_MUST_RESYNC) {
    fail(codec);
  }
}

void on_output(j_common_ptr) {}

/// A scan of a progressive file goes over the whole image, and takes a dozen bytes where nothing changes: thousands of
/// them would keep a processor busy for minutes. Real files have about ten.
void on_progress(j_common_ptr codec) {
  const auto& decompress = *reinterpret_cast<j_decompress_ptr>(codec);
  constexpr int64_t kAlwaysFine = 32, kWork = int64_t{1} << 30;
  const int64_t pixels = std::max<int64_t>(1, int64_t{decompress.image_width} * decompress.image_height);
  if (decompress.input_scan_number <= std::max(kAlwaysFine, kWork / pixels)) return;
  auto* errors = reinterpret_cast<ErrorManager*>(codec->err);
  std::strcpy(errors->message, "it has more scans than any encoder writes");
  longjmp(errors->jump, 1);
}

bool start(jpeg_decompress_struct& codec, ErrorManager& errors, Bytes bytes) {
  if (setjmp(errors.jump)) return false;
  jpeg_create_decompress(&codec);
  jpeg_mem_src(&codec, bytes.data(), bytes.size());
  jpeg_read_header(&codec, TRUE);
  if (codec.num_components == 1) {
    codec.out_color_space = JCS_GRAYSCALE;
  } else if (codec.num_components == 4) {
    codec.out_color_space = JCS_CMYK;
  } else {
    codec.out_color_space = JCS_RGB;
  }
  jpeg_calc_output_dimensions(&codec);
  return true;
}

bool read_rows(jpeg_decompress_struct& codec, ErrorManager& errors, uint8_t* pixels, std::size_t stride) {
  if (setjmp(errors.jump)) return false;
  jpeg_progress_mgr progress = {};
  progress.progress_monitor = on_progress;
  codec.progress = &progress;
  jpeg_start_decompress(&codec);
  while (codec.output_scanline < codec.output_height) {
    JSAMPROW row = pixels + codec.output_scanline * stride;
    jpeg_read_scanlines(&codec, &row, 1);
  }
  jpeg_finish_decompress(&codec);
  codec.progress = nullptr;
  return true;
}

/// Ink to light. Adobe stores inverted inks, and Pillow takes every file to be Adobe's, marked so or not.
Tensor from_cmyk(const Tensor& inks) {
  Tensor light = at::empty({inks.size(0), inks.size(1), 3}, at::kByte);
  const auto* in = inks.data_ptr<uint8_t>();
  auto* out = light.data_ptr<uint8_t>();
  for (int64_t i = 0; i < light.numel() / 3; ++i, in += 4) {
    for (int c = 0; c < 3; ++c) *out++ = static_cast<uint8_t>((in[c] * in[3] + 127) / 255);
  }
  return light;
}

}  // namespace

bool is_jpeg(Bytes bytes) { return bytes.size() >= 3 && bytes[0] == 0xff && bytes[1] == 0xd8 && bytes[2] == 0xff; }

Tensor decode_jpeg(Bytes bytes) {
  jpeg_decompress_struct codec = {};
  ErrorManager errors;
  codec.err = jpeg_std_error(&errors.base);
  errors.base.error_exit = fail;
  errors.base.emit_message = on_message;
  errors.base.output_message = on_output;
  const struct Guard {
    jpeg_decompress_struct* codec;
    ~Guard() { jpeg_destroy_decompress(codec); }
  } guard{&codec};
  const auto broken = [&] { return std::runtime_error(std::string("is a damaged JPEG: ") + errors.message); };
  if (!start(codec, errors, bytes)) throw broken();
  // An 8x8 block takes at least a bit in some scan; a run of empty blocks takes less, hence the generous bound.
  const Tensor image = make_image(codec.output_height, codec.output_width,
                                  static_cast<uint64_t>(codec.output_components), bytes.size(), 16384);
  if (!read_rows(codec, errors, image.data_ptr<uint8_t>(), static_cast<std::size_t>(image.stride(0)))) throw broken();
  return image.size(2) == 4 ? from_cmyk(image) : image;
}

}  // namespace sextant::data
