// The little of Unicode that a tokenizer needs: UTF-8, letters, numbers, white space, lower case, composition.
#pragma once

#include <string>
#include <string_view>

namespace sextant::text::unicode {

/// UTF-8 to code points. UsageError, which starts with `caller`, for bytes that are not UTF-8.
std::u32string decode(std::string_view utf8, const char* caller);
/// The same without an error: whether `utf8` is valid, and then its code points in `text`.
bool try_decode(std::string_view utf8, std::u32string& text);
std::string encode(std::u32string_view text);

bool is_letter(char32_t c);  ///< category L
bool is_number(char32_t c);  ///< category N
bool is_space(char32_t c);   ///< White_Space

/// Lower case with the two rules that depend on more than one letter: dotted capital I, and sigma at the end of a word.
std::u32string lower(std::u32string_view text);

/// NFC: letters with the combining marks that follow them, Hangul included, as single letters.
std::u32string compose(std::u32string_view text);

}  // namespace sextant::text::unicode
