// Text from outside: whether it is UTF-8, and how it is shown on one line.
#pragma once

#include <string>
#include <string_view>

namespace sextant {

/// Whether `text` is UTF-8: shortest forms alone, no surrogates, nothing beyond U+10FFFF.
bool is_utf8(std::string_view text);

/// `text` on one line that a terminal shows and does not obey: control characters become "\n", "\t" or "\x1b", bytes
/// that are not UTF-8 "\xff". All other text is as it was.
std::string one_line(std::string_view text);

}  // namespace sextant
