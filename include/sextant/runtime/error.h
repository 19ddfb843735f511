// Every error sextant throws. The library throws and never prints, aborts or exits; the command line
// catches once, prints one line and exits with `exit_code`.
//
// A message says who noticed, what was expected, what arrived and what to do about it, in one line.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace sextant {

/// Something failed: a file, a device, the numbers. Exit code 1.
class Error : public std::runtime_error {
 public:
  /// `what` becomes one line: control characters and bytes that are no UTF-8, which names in a hostile file may hold,
  /// are escaped.
  explicit Error(const std::string& what);
  virtual int exit_code() const { return 1; }
};

/// The request itself is wrong: an unknown flag, a value out of range. Exit code 2.
class UsageError : public Error {
 public:
  using Error::Error;
  int exit_code() const override { return 2; }
};

/// A tensor has another shape or dtype than the function documents.
class ShapeError : public Error {
 public:
  using Error::Error;
};

/// A checkpoint, archive or model folder is missing, damaged, hostile or does not fit the network.
class CheckpointError : public Error {
 public:
  using Error::Error;
};

/// A data set, image or sample file is missing or damaged.
class DataError : public Error {
 public:
  using Error::Error;
};

/// NaN or infinity where a finite number was needed.
class NumericError : public Error {
 public:
  using Error::Error;
};

/// The candidate that `name` most likely meant (smallest edit distance), or "" when none is close.
std::string nearest_name(std::string_view name, const std::vector<std::string>& candidates);

/// " Did you mean 'X'?" for the nearest candidate, or "" when none is close.
std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace sextant
