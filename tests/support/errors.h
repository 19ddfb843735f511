// What functions say when they refuse.
#pragma once

#include <string>
#include <utility>

#include "sextant/runtime/error.h"

namespace sextant::testing {

/// The message of the error of type E that `action` throws; "" when it throws none.
template <class E = Error, class Action>
std::string message_of(Action&& action) {
  try {
    std::forward<Action>(action)();
  } catch (const E& error) {
    return error.what();
  }
  return "";
}

}  // namespace sextant::testing
