// Whose turn a run of a sweep is.
#pragma once

#include <filesystem>

namespace sextant::commands {

/// A run for this process alone. The system lets it go when the process ends, however it ends.
class Claim {
 public:
  /// Where the folder cannot be written nobody else draws either: Error if that is `needed`, else it is held.
  Claim(const std::filesystem::path& folder, bool needed);
  ~Claim();
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;
  bool held() const { return held_; }
  /// Whether anybody has claimed the run, now or before: a claim leaves a file in the folder.
  static bool made(const std::filesystem::path& folder);

 private:
  int file_ = -1;
  bool held_ = false;
};

}  // namespace sextant::commands
