// Runs that meet a fault: what the tests of faults share.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "cli/program.h"

namespace sextant::cli::testing {

/// A run of 40 images in 20 batches, which can be met in the middle.
inline std::vector<std::string> twenty_batches(const std::filesystem::path& out,
                                               const std::vector<std::string>& more = {}) {
  std::vector<std::string> words = small_run(out, {"--count", "40", "--batch", "2", "--steps", "5"});
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

inline int64_t batches_in(const std::filesystem::path& out) {
  int64_t count = 0;
  std::error_code gone;
  for (const std::filesystem::directory_entry& entry :
       std::filesystem::directory_iterator(out / "samples.batches", gone)) {
    const std::string name = entry.path().filename();
    count += name[0] != '.' && name.ends_with(".npz") ? 1 : 0;
  }
  return count;
}

/// The last line names the parts.
inline void expect_one_line(const Outcome& outcome, int exit_code, const std::vector<std::string>& parts) {
  EXPECT_EQ(outcome.exit_code, exit_code) << outcome.err;
  const std::size_t at = outcome.err.rfind("sextant sample: ");
  ASSERT_NE(at, std::string::npos) << outcome.err;
  const std::string last = outcome.err.substr(at);
  EXPECT_EQ(std::count(last.begin(), last.end(), '\n'), 1) << outcome.err;
  for (const std::string& part : parts) EXPECT_NE(last.find(part), std::string::npos) << part << " in " << last;
}

}  // namespace sextant::cli::testing
