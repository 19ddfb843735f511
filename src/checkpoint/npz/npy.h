// The .npy header: numpy's description of one array.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "internal/checkpoint/file.h"

namespace sextant::checkpoint {

struct NpyHeader {
  std::string descr;  ///< "<f4", "|u1", ...
  bool fortran_order = false;
  std::vector<int64_t> shape;
  std::size_t length = 0;  ///< bytes before the data
};

/// The longest header that is read; numpy itself refuses beyond 10000 bytes.
constexpr std::size_t kLongestNpyHeader = 1 << 16;

/// Parses the header at the start of `bytes` (a prefix of the member suffices): versions 1 to 3. A literal dictionary
/// is all it may hold; nothing is evaluated. Throws Malformed.
NpyHeader parse_npy_header(std::string_view bytes);

/// The array behind `header` in `data`, exactly its bytes: native order, C order. Throws Malformed for types
/// of no use.
Tensor npy_array(const NpyHeader& header, const Blob& data);

/// Bytes that the array needs. Throws Malformed when that overflows or the type is of no use.
uint64_t npy_data_size(const NpyHeader& header);

/// A version 1 header for a C-order array, padded with spaces to `length` bytes, or to the least multiple of 64 when 0.
/// Throws Malformed for a dtype numpy lacks.
std::string npy_header(at::ScalarType dtype, at::IntArrayRef shape, std::size_t length = 0);

}  // namespace sextant::checkpoint
