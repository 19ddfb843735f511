#include "unicode.h"

#include <algorithm>

#include "sextant/runtime/error.h"

namespace sextant::text::unicode {
namespace {

/// The entry of sorted `table` whose `first` is the last not above c, or nullptr.
template <class Entry>
const Entry* at_or_before(const std::vector<Entry>& table, char32_t c) {
  const auto after = std::upper_bound(table.begin(), table.end(), c,
                                      [](char32_t value, const Entry& entry) { return value < entry.first; });
  return after == table.begin() ? nullptr : &*std::prev(after);
}

bool within(const std::vector<Range>& table, char32_t c) {
  const Range* range = at_or_before(table, c);
  return range && c <= range->last;
}

char32_t lower_letter(char32_t c) {
  const CaseRun* run = at_or_before(kLowerCase, c);
  if (!run || c > run->last || (c - run->first) % static_cast<char32_t>(run->step) != 0) return c;
  return static_cast<char32_t>(static_cast<int>(c) + run->shift);
}

/// Hangul syllables are arithmetic: leading consonant, vowel, perhaps a trailing consonant.
char32_t compose_hangul(char32_t a, char32_t b) {
  constexpr char32_t kLead = 0x1100, kVowel = 0x1161, kTrail = 0x11a7, kSyllable = 0xac00;
  if (a >= kLead && a < kLead + 19 && b >= kVowel && b < kVowel + 21) {
    return kSyllable + ((a - kLead) * 21 + (b - kVowel)) * 28;
  }
  const bool open = a >= kSyllable && a < kSyllable + 11172 && (a - kSyllable) % 28 == 0;
  return open && b > kTrail && b < kTrail + 28 ? a + (b - kTrail) : 0;
}

/// The single letter for a followed by b, or 0.
char32_t compose_pair(char32_t a, char32_t b) {
  const auto mark = std::lower_bound(kCompositions.begin(), kCompositions.end(), b,
                                     [](const Compositions& entry, char32_t value) { return entry.mark < value; });
  if (mark == kCompositions.end() || mark->mark != b) return compose_hangul(a, b);
  for (std::size_t i = 0; i + 1 < mark->pairs.size(); i += 2) {
    if (mark->pairs[i] == a) return mark->pairs[i + 1];
  }
  return 0;
}

}  // namespace

bool try_decode(std::string_view utf8, std::u32string& text) {
  text.clear();
  for (std::size_t i = 0; i < utf8.size();) {
    const auto lead = static_cast<unsigned char>(utf8[i]);
    const int length = lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : lead >> 3 == 30 ? 4 : 0;
    if (length == 0 || i + length > utf8.size()) return false;
    char32_t c = length == 1 ? lead : lead & (0x7f >> length);
    for (int k = 1; k < length; ++k) {
      const auto next = static_cast<unsigned char>(utf8[i + k]);
      if (next >> 6 != 2) return false;
      c = c << 6 | (next & 0x3f);
    }
    constexpr char32_t kShortest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (c < kShortest[length] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) return false;
    text.push_back(c);
    i += length;
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
    if (c < 0x80) {
      utf8 += static_cast<char>(c);
      continue;
    }
    const int length = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    utf8 += static_cast<char>((0xf00 >> length) | (c >> (6 * (length - 1))));
    for (int k = length - 2; k >= 0; --k) utf8 += static_cast<char>(0x80 | ((c >> (6 * k)) & 0x3f));
  }
  return utf8;
}

bool is_letter(char32_t c) { return within(kLetters, c); }

bool is_number(char32_t c) { return within(kNumbers, c); }

bool is_space(char32_t c) {
  return (c >= 9 && c <= 13) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
         c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
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
      result += lower_letter(text[i]);
    }
  }
  return result;
}

std::u32string compose(std::u32string_view text) {
  std::u32string result;
  for (const char32_t c : text) {
    const char32_t pair = result.empty() ? 0 : compose_pair(result.back(), c);
    if (pair) {
      result.back() = pair;
    } else {
      result += c;
    }
  }
  return result;
}

}  // namespace sextant::text::unicode
