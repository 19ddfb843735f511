// Small pieces of text.
#pragma once

#include <string>
#include <vector>

namespace sextant {

/// "a, b or c": items with `between`, the last one after `last` (where given).
std::string joined(const std::vector<std::string>& items, const std::string& between, const std::string& last = "");

/// The pieces of `text` between separators; "" gives one empty piece.
std::vector<std::string> split(const std::string& text, char separator);

/// Without the white space at both ends.
std::string trimmed(const std::string& text);

std::string replaced(std::string text, const std::string& what, const std::string& with);

/// `text` in lines of at most `width` columns, broken at blanks, further lines indented.
std::string wrapped(const std::string& text, std::size_t width, std::size_t indent);

}  // namespace sextant
