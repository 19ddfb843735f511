// Batches that are given up because a number of theirs stopped being finite, while the others are drawn.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "internal/runtime/sentence.h"
#include "sextant/runtime/error.h"

namespace sextant::commands {

class BurstBatches {
 public:
  /// A batch was drawn.
  void drawn() { ++drawn_; }

  /// The batch called `name` was not; `why` says where it burst.
  void add(std::string name, const std::string& why) {
    if (names_.empty()) why_ = why;
    names_.push_back(std::move(name));
  }

  /// More than one have burst, and more than were drawn: the settings are at fault, not a rare image.
  bool most() const { return names_.size() > std::max<std::size_t>(1, drawn_); }

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
  std::size_t drawn_ = 0;
  std::string why_;  ///< of the first
  std::vector<std::string> names_;
};

}  // namespace sextant::commands
