// Batches that are given up because a number of theirs stopped being finite, while the others are drawn.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "internal/runtime/sentence.h"
#include "sextant/runtime/error.h"

namespace sextant::commands {

class BurstBatches {
 public:
  /// The batch called `name` is given up; `why` says where it burst.
  void add(std::string name, const std::string& why) {
    if (names_.empty()) why_ = why;
    names_.push_back(std::move(name));
  }

  /// Whether so many have burst beside `there` batches of the run that the settings are at fault, not a rare image. A
  /// run that is started again meets those that burst before first, so a few are no reason to stop.
  bool hopeless(int64_t there) const {
    constexpr int64_t kFew = 8;
    const auto burst = static_cast<int64_t>(names_.size());
    return burst >= kFew && burst > there;
  }

  /// Where there are any, NumericError that begins with `where`, names them and says what is `kept`.
  void raise(const std::string& where, const std::string& kept) const {
    if (names_.empty()) return;
    constexpr std::size_t kNamed = 4;
    std::string message = where + names_.front() + ": " + why_;
    for (std::size_t i = 1; i < std::min(kNamed, names_.size()); ++i) {
      message = i == 1 ? and_then(message, "The same in " + names_[i]) : message + ", " + names_[i];
    }
    if (names_.size() > kNamed) message += " and " + std::to_string(names_.size() - kNamed) + " more";
    throw NumericError(and_then(message, kept));
  }

 private:
  std::string why_;  ///< of the first
  std::vector<std::string> names_;
};

}  // namespace sextant::commands
