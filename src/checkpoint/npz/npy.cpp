#include "npz/npy.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <map>

namespace sextant::checkpoint {
namespace {

struct ElementType {
  at::ScalarType stored;  ///< same width
  at::ScalarType result;  ///< wider for unsigned types that libtorch lacks
};

/// By the descr without its byte order.
const std::map<std::string, ElementType, std::less<>>& element_types() {
  static const std::map<std::string, ElementType, std::less<>> kTypes = {
      {"f8", {at::kDouble, at::kDouble}}, {"f4", {at::kFloat, at::kFloat}}, {"f2", {at::kHalf, at::kHalf}},
      {"i8", {at::kLong, at::kLong}},     {"i4", {at::kInt, at::kInt}},     {"i2", {at::kShort, at::kShort}},
      {"i1", {at::kChar, at::kChar}},     {"u1", {at::kByte, at::kByte}},   {"b1", {at::kBool, at::kBool}},
      {"u2", {at::kShort, at::kInt}},     {"u4", {at::kInt, at::kLong}},    {"u8", {at::kLong, at::kLong}}};
  return kTypes;
}

const ElementType& element_type(const std::string& descr) {
  const auto& types = element_types();
  const bool ordered = !descr.empty() && std::string_view("<>|=").find(descr[0]) != std::string_view::npos;
  const auto found = types.find(std::string_view(descr).substr(ordered ? 1 : 0));
  if (ordered && found != types.end()) return found->second;
  if (descr == "|O") throw Malformed("holds Python objects, which are never read");
  throw Malformed("has elements of type " + shown(descr) + ", which are of no use here");
}

/// A Python literal of the few kinds that a header holds.
class HeaderParser {
 public:
  explicit HeaderParser(std::string_view text) : rest_(text) {}

  NpyHeader parse() {
    NpyHeader header;
    bool seen[3] = {};
    expect('{');
    while (!accept('}')) {
      const std::string key = text();
      expect(':');
      const int which = key == "descr" ? 0 : key == "fortran_order" ? 1 : key == "shape" ? 2 : -1;
      if (which < 0 || seen[which]) fail();
      seen[which] = true;
      if (which == 0) header.descr = text();
      if (which == 1) header.fortran_order = boolean();
      if (which == 2) header.shape = tuple();
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_space();
    if (!rest_.empty() || !seen[0] || !seen[1] || !seen[2]) fail();
    return header;
  }

 private:
  [[noreturn]] static void fail() {
    throw Malformed("has a malformed header; expected {'descr': ..., 'fortran_order': ..., 'shape': (...)}");
  }
  void skip_space() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size())); }
  bool accept(char wanted) {
    skip_space();
    if (rest_.empty() || rest_.front() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char wanted) {
    if (!accept(wanted)) fail();
  }
  std::string text() {
    skip_space();
    if (rest_.empty() || (rest_.front() != '\'' && rest_.front() != '"')) fail();
    const std::size_t end = rest_.find(rest_.front(), 1);
    if (end == std::string_view::npos) fail();
    const std::string result(rest_.substr(1, end - 1));
    rest_.remove_prefix(end + 1);
    return result;
  }
  bool boolean() {
    skip_space();
    for (const std::string_view word : {"True", "False"}) {
      if (rest_.substr(0, word.size()) != word) continue;
      rest_.remove_prefix(word.size());
      return word == "True";
    }
    fail();
  }
  std::vector<int64_t> tuple() {
    std::vector<int64_t> numbers;
    expect('(');
    while (!accept(')')) {
      skip_space();
      int64_t number = 0;
      const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
      if (error != std::errc()) fail();
      rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
      if (!rest_.empty() && rest_.front() == 'L') rest_.remove_prefix(1);  // Python 2
      numbers.push_back(number);
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return numbers;
  }

  std::string_view rest_;
};

const char* descr_of(at::ScalarType dtype) {
  switch (dtype) {
    case at::kDouble:
      return "<f8";
    case at::kFloat:
      return "<f4";
    case at::kHalf:
      return "<f2";
    case at::kLong:
      return "<i8";
    case at::kInt:
      return "<i4";
    case at::kShort:
      return "<i2";
    case at::kChar:
      return "|i1";
    case at::kByte:
      return "|u1";
    case at::kBool:
      return "|b1";
    default:
      throw Malformed("numpy has no such dtype; convert the array to float32 first");
  }
}

}  // namespace

NpyHeader parse_npy_header(std::string_view bytes) {
  constexpr std::string_view kMagic("\x93NUMPY", 6);
  if (bytes.size() < 10 || bytes.substr(0, 6) != kMagic) throw Malformed("is no .npy array");
  const int version = static_cast<uint8_t>(bytes[6]);
  if (version < 1 || version > 3)
    throw Malformed("is in .npy version " + std::to_string(version) + ", expected 1 to 3");
  const std::size_t start = version == 1 ? 10 : 12;
  std::size_t length = 0;
  for (std::size_t i = std::min(start, bytes.size()); i-- > 8;) length = length << 8 | static_cast<uint8_t>(bytes[i]);
  if (bytes.size() < start || length > kLongestNpyHeader - start || length > bytes.size() - start) {
    throw Malformed("has a header of " + std::to_string(length) + " bytes, more than there are");
  }
  NpyHeader header = HeaderParser(bytes.substr(start, length)).parse();
  header.length = start + length;
  return header;
}

uint64_t npy_data_size(const NpyHeader& header) {
  const int64_t numel = checked_numel(header.shape);
  int64_t size = 0;
  if (numel < 0 ||
      __builtin_mul_overflow(numel, static_cast<int64_t>(c10::elementSize(element_type(header.descr).stored)), &size)) {
    throw Malformed("has a negative, overlong or overflowing shape");
  }
  return static_cast<uint64_t>(size);
}

Tensor npy_array(const NpyHeader& header, const Blob& data) {
  const ElementType& type = element_type(header.descr);
  if (type.stored == at::kBool && !valid_bools(data.bytes)) throw Malformed("is bool but has bytes other than 0 and 1");
  std::vector<int64_t> sizes = header.shape;
  if (header.fortran_order) std::reverse(sizes.begin(), sizes.end());
  Tensor array = tensor_over(data, type.stored, sizes);
  const std::size_t width = c10::elementSize(type.stored);
  if (header.descr[0] == '>' && width > 1) {
    array = array.clone();
    auto* bytes = static_cast<uint8_t*>(array.data_ptr());
    for (int64_t i = 0; i < array.numel(); ++i, bytes += width) std::reverse(bytes, bytes + width);
  }
  if (type.result != type.stored) {  // unsigned read as signed: undo the wrap
    array = array.to(type.result).bitwise_and((int64_t{1} << (8 * width)) - 1);
  } else if (header.descr.substr(1) == "u8" && array.numel() > 0 && array.min().item<int64_t>() < 0) {
    throw Malformed("has unsigned numbers beyond 2^63, which do not fit int64");
  }
  if (header.fortran_order && sizes.size() > 1) {
    std::vector<int64_t> reversed(sizes.size());
    for (std::size_t i = 0; i < sizes.size(); ++i) reversed[i] = static_cast<int64_t>(sizes.size() - 1 - i);
    array = array.permute(reversed).contiguous();
  }
  return array;
}

std::string npy_header(at::ScalarType dtype, at::IntArrayRef shape, std::size_t length) {
  std::string text = std::string("{'descr': '") + descr_of(dtype) + "', 'fortran_order': False, 'shape': (";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  text += shape.size() == 1 ? ",), }" : "), }";
  constexpr std::size_t kPreamble = 10;
  if (length == 0) length = (kPreamble + text.size() + 1 + 63) / 64 * 64;
  text.resize(length - kPreamble - 1, ' ');
  text += '\n';
  std::string header("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>(text.size() & 0xff);
  header += static_cast<char>(text.size() >> 8);
  return header + text;
}

}  // namespace sextant::checkpoint
