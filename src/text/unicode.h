// The little of Unicode that a tokenizer needs: UTF-8, letters, numbers, white space, lower case, composition.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sextant::text::unicode {

/// Inclusive.
struct Range {
  char32_t first;
  char32_t last;
};

/// Every `step`-th code point of [first, last] has its lower-case letter `shift` further.
struct CaseRun {
  char32_t first;
  char32_t last;
  int step;
  int shift;
};

/// Letters and what they become before `mark`, alternating.
struct Compositions {
  char32_t mark;
  std::u16string_view pairs;
};

// Each sorted by code point.
extern const std::vector<Range> kLetters;  ///< category L
extern const std::vector<Range> kNumbers;  ///< category N
extern const std::vector<CaseRun> kLowerCase;
extern const std::vector<Compositions> kCompositions;

/// UTF-8 to code points. UsageError, which starts with `caller`, for bytes that are not UTF-8.
std::u32string decode(std::string_view utf8, const char* caller);
/// The same without an error: whether `utf8` is valid, and then its code points in `text`.
bool try_decode(std::string_view utf8, std::u32string& text);
std::string encode(std::u32string_view text);

bool is_letter(char32_t c);
bool is_number(char32_t c);
bool is_space(char32_t c);

/// Lower case with the two rules that depend on more than one letter: dotted capital I, and sigma at the end of a word.
std::u32string lower(std::u32string_view text);

/// Letters with the combining marks that follow them, Hangul included, as single letters (NFC without reordering of
/// marks).
std::u32string compose(std::u32string_view text);

}  // namespace sextant::text::unicode
