// Settings as text: what the parser and the pages of help share.
#pragma once

#include <string>

#include "internal/runtime/options.h"

namespace sextant {

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

/// A recipe's value as the text that the flag would take.
std::string as_text(const nlohmann::json& value, const std::string& between = ",");

}  // namespace sextant
