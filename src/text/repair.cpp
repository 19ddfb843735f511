#include "repair.h"

#include <algorithm>
#include <array>
#include <map>

#include "unicode.h"

namespace sextant::text {
namespace {

// What Windows-1252 has at bytes 80 to 9f; 0 where it has nothing and text carries the byte's own number.
constexpr std::array<char32_t, 32> kWindows1252 = {0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
                                                   0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0,      0x017d, 0,
                                                   0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
                                                   0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178};

const std::map<char32_t, std::u32string> kLigatures = {
    {U'Ĳ', U"IJ"},  {U'ĳ', U"ij"},  {U'ŉ', U"ʼn"}, {U'Ǳ', U"DZ"}, {U'ǲ', U"Dz"}, {U'ǳ', U"dz"},
    {U'Ǆ', U"DŽ"},  {U'ǅ', U"Dž"},  {U'ǆ', U"dž"}, {U'Ǉ', U"LJ"}, {U'ǈ', U"Lj"}, {U'ǉ', U"lj"},
    {U'Ǌ', U"NJ"},  {U'ǋ', U"Nj"},  {U'ǌ', U"nj"}, {U'ﬀ', U"ff"}, {U'ﬁ', U"fi"}, {U'ﬂ', U"fl"},
    {U'ﬃ', U"ffi"}, {U'ﬄ', U"ffl"}, {U'ﬅ', U"ſt"}, {U'ﬆ', U"st"}};

// From U+FF61, and from U+FFE0.
constexpr std::u32string_view kHalfWidth =
    U"。「」、・ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリ"
    U"ルレロワン"
    U"\u3099\u309a";
constexpr std::u32string_view kFullWidthSigns = U"¢£¬\u00af¦¥₩";

/// The byte that Windows-1252 writes c as, or -1.
int windows_1252_byte(char32_t c) {
  if (c < 0x100) return static_cast<int>(c);
  const auto found = std::find(kWindows1252.begin(), kWindows1252.end(), c);
  return found == kWindows1252.end() ? -1 : 0x80 + static_cast<int>(found - kWindows1252.begin());
}

/// Text that was UTF-8 and has been read as Windows-1252 ("schÃ¶n"), read as UTF-8; other text as it is. No chance for
/// a false alarm: hardly any real text is valid UTF-8 when written in Windows-1252, unless it is plain ASCII.
std::u32string fix_encoding(const std::u32string& text) {
  std::string bytes;
  for (const char32_t c : text) {
    const int byte = windows_1252_byte(c);
    if (byte < 0) return text;
    bytes += static_cast<char>(byte);
  }
  std::u32string fixed;
  return unicode::try_decode(bytes, fixed) ? fixed : text;
}

/// What stands for c: nothing for control characters, else one or more characters.
std::u32string plain(char32_t c) {
  if (c >= 0x80 && c < 0xa0 && kWindows1252[c - 0x80]) c = kWindows1252[c - 0x80];
  if (c < 9 || c == 0x0b || (c > 0x0d && c < 0x20) || c == 0x7f) return {};
  if ((c >= 0x206a && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffc)) return {};
  if (c >= 0x2018 && c <= 0x201b) return U"'";
  if (c == 0x02bc) return U"'";
  if (c >= 0x201c && c <= 0x201f) return U"\"";
  if (c == 0x3000) return U" ";
  if (c >= 0xff01 && c <= 0xff5e) return {static_cast<char32_t>(c - 0xfee0)};
  if (c >= 0xff61 && c < 0xff61 + kHalfWidth.size()) return {kHalfWidth[c - 0xff61]};
  if (c >= 0xffe0 && c < 0xffe0 + kFullWidthSigns.size()) return {kFullWidthSigns[c - 0xffe0]};
  const auto ligature = kLigatures.find(c);
  return ligature == kLigatures.end() ? std::u32string{c} : ligature->second;
}

/// Without sequences such as ESC [ 36 ; 44 m.
std::u32string remove_terminal_escapes(const std::u32string& text) {
  std::u32string kept;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == 0x1b && i + 1 < text.size() && text[i + 1] == U'[') {
      const auto end = text.find_first_not_of(U"0123456789;", i + 2);
      const char32_t last = end == std::u32string::npos ? 0 : text[end] | 0x20;
      if (last >= U'a' && last <= U'z') {
        i = end;
        continue;
      }
    }
    kept += text[i];
  }
  return kept;
}

}  // namespace

std::u32string repair_text(const std::u32string& text) {
  const bool entities = text.find(U'<') == std::u32string::npos;
  std::u32string repaired = text;
  // Each layer of damage makes the text shorter, so this ends; the bound is for the eye.
  for (int round = 0; round < 100; ++round) {
    const std::u32string before = repaired;
    if (entities) repaired = unescape_html(repaired, true);
    repaired = remove_terminal_escapes(fix_encoding(repaired));
    std::u32string replaced;
    for (const char32_t c : repaired) replaced += plain(c);
    repaired = unicode::compose(replaced);
    if (repaired == before) break;
  }
  return repaired;
}

}  // namespace sextant::text
