#pragma once

#include <gtest/gtest.h>

#include <string>

namespace sextant::testing {

/// The message of the error of type E that `action` throws; a test failure when it throws none.
template <class E, class Action>
std::string message_of(Action action) {
  try {
    action();
  } catch (const E& error) {
    return error.what();
  }
  ADD_FAILURE() << "expected an error";
  return "";
}

}  // namespace sextant::testing
