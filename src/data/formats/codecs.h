// Image decoders. Each throws std::runtime_error with the reason; read_image() adds the file's name.
#pragma once

#include "files.h"
#include "sextant/runtime/tensor.h"

namespace sextant::data {

bool is_png(Bytes bytes);
bool is_jpeg(Bytes bytes);
bool is_bmp(Bytes bytes);

/// uint8 [H, W, 1 or 3]
Tensor decode_png(Bytes bytes);
Tensor decode_jpeg(Bytes bytes);
Tensor decode_bmp(Bytes bytes);
/// In a build without libwebp it says so.
Tensor decode_webp(Bytes bytes);

/// What a user should know of the images of `source`, of which `image` [C, H, W] is one as stored, when they are read
/// with `channels`: "" unless their colours are lost.
std::string note_of_colour(const std::string& source, const Tensor& image, int64_t channels);

/// Room for an image of that size, unless it is a large one and `most_per_byte` pixels for each of `file_size` bytes
/// cannot be that many.
Tensor make_image(uint64_t height, uint64_t width, uint64_t channels, std::size_t file_size, uint64_t most_per_byte);

}  // namespace sextant::data
