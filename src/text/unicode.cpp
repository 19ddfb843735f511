#include "unicode.h"

#include <utf8proc.h>

#include <cstdlib>
#include <memory>

#include "sextant/runtime/error.h"

namespace sextant::text::unicode {

bool try_decode(std::string_view utf8, std::u32string& text) {
  text.clear();
  const auto* at = reinterpret_cast<const utf8proc_uint8_t*>(utf8.data());
  auto left = static_cast<utf8proc_ssize_t>(utf8.size());
  while (left > 0) {
    utf8proc_int32_t c = 0;
    const utf8proc_ssize_t length = utf8proc_iterate(at, left, &c);
    if (length < 1) return false;
    text.push_back(static_cast<char32_t>(c));
    at += length;
    left -= length;
  }
  return true;
}

std::u32string decode(std::string_view utf8, const char* caller) {
  std::u32string text;
  if (!try_decode(utf8, text)) throw UsageError(std::string(caller) + ": the text is not valid UTF-8");
  return text;
}

std::string encode(std::u32string_view text) {
  std::string utf8;
  for (const char32_t c : text) {
    utf8proc_uint8_t bytes[4];
    const utf8proc_ssize_t length = utf8proc_encode_char(static_cast<utf8proc_int32_t>(c), bytes);
    utf8.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(length));
  }
  return utf8;
}

bool is_letter(char32_t c) {
  const utf8proc_category_t category = utf8proc_category(static_cast<utf8proc_int32_t>(c));
  return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

bool is_number(char32_t c) {
  const utf8proc_category_t category = utf8proc_category(static_cast<utf8proc_int32_t>(c));
  return category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO;
}

bool is_space(char32_t c) {
  const utf8proc_category_t category = utf8proc_category(static_cast<utf8proc_int32_t>(c));
  const bool separator = category >= UTF8PROC_CATEGORY_ZS && category <= UTF8PROC_CATEGORY_ZP;
  return separator || (c >= 9 && c <= 13) || c == 0x85;
}

std::u32string lower(std::u32string_view text) {
  std::u32string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == U'\u0130') {
      result += U"i\u0307";
    } else if (text[i] == U'\u03a3' && i > 0 && is_letter(text[i - 1]) &&
               (i + 1 == text.size() || !is_letter(text[i + 1]))) {
      result += U'\u03c2';
    } else {
      result += static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(text[i])));
    }
  }
  return result;
}

std::u32string compose(std::u32string_view text) {
  const std::string utf8 = encode(text);
  utf8proc_uint8_t* mapped = nullptr;
  const utf8proc_ssize_t length =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(utf8.data()), static_cast<utf8proc_ssize_t>(utf8.size()),
                   &mapped, static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  const std::unique_ptr<utf8proc_uint8_t, void (*)(void*)> owner(mapped, std::free);
  if (length < 0) throw Error(std::string("text cannot be composed: ") + utf8proc_errmsg(length));
  return decode({reinterpret_cast<const char*>(mapped), static_cast<std::size_t>(length)}, "compose");
}

}  // namespace sextant::text::unicode
