// Messages of two sentences.
#pragma once

#include <string>

namespace sextant {

/// `first`, ended by a full stop where it ends without a mark, and `next`: what others say ends with one or without.
inline std::string and_then(std::string first, const std::string& next) {
  if (!first.empty() && std::string(".?!").find(first.back()) == std::string::npos) first += '.';
  return first + ' ' + next;
}

}  // namespace sextant
