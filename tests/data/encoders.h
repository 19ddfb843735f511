// Files for the tests: the encoders that the library itself does not need.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "sextant/runtime/error.h"
#include "sextant/runtime/tensor.h"
#include "support/errors.h"
#include "support/files.h"

namespace sextant::testing {

/// Random bytes.
Tensor noise(at::IntArrayRef sizes);

/// PNG of uint8 [H, W, 1..4] (gray, gray + alpha, RGB, RGBA) or, as gray, int32 [H, W] of 16-bit numbers.
std::string png(const Tensor& pixels);
/// A palette PNG: indices uint8 [H, W] into colours uint8 [n, 3].
std::string palette_png(const Tensor& indices, const Tensor& colours);

/// JPEG of quality 100 of uint8 [H, W, 1, 3 or 4]; four channels are Adobe's inverted CMYK.
std::string jpeg(const Tensor& pixels);

std::string gzip(const std::string& bytes);
/// A tar archive of files by name.
std::string tar(const std::vector<std::pair<std::string, std::string>>& files);
/// IDX of uint8 `elements`.
std::string idx(const Tensor& elements);

/// The bytes of a contiguous tensor.
std::string bytes_of(const Tensor& tensor);

/// The message of the DataError that `action` throws: one line that starts with `path`.
template <typename Action>
std::string refusal(const std::filesystem::path& path, Action action) {
  const std::string message = message_of<DataError>(action);
  EXPECT_EQ(message.rfind(path.string(), 0), 0u) << "'" << message << "' is not about " << path;
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  return message;
}

}  // namespace sextant::testing
