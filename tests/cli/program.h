// Commands of the program, each a process as a user's is; but libtorch has been loaded before (cli/preloaded), and what
// libraries read of the environment as they are loaded has no effect.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "support/golden.h"

namespace sextant::cli::testing {

using sextant::testing::TemporaryFolder;

struct Outcome {
  int exit_code = -1;  ///< 128 + signal for a process that a signal ended
  std::string out;
  std::string err;
  int signal = 0;  ///< that ended it; 0 where it ended by itself
};

/// A `sextant` process, killed where nobody waits for it. Its output is kept in files until finish().
class Program {
 public:
  /// `file_limit`, where not 0, is the size in bytes that files may have: beyond, writing fails as on a full disk.
  explicit Program(const std::vector<std::string>& words, std::size_t file_limit = 0);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  Outcome finish();
  void signal(int number) const;
  pid_t process() const { return process_; }
  /// Whether it has not ended yet.
  bool runs() const;

 private:
  TemporaryFolder folder_;
  pid_t process_;
  bool ended_ = false;
};

/// The variables that torchrun sets, for processes that start while it lives.
class Rank {
 public:
  Rank(int rank, int size);
  ~Rank();
  Rank(const Rank&) = delete;
  Rank& operator=(const Rank&) = delete;
};

Outcome sextant(const std::vector<std::string>& words);

std::string bundled(const std::string& model);

/// The words of a small, quick guided run into `out`, then `more`.
std::vector<std::string> small_run(const std::filesystem::path& out, const std::vector<std::string>& more = {});

/// Waits until the run in `out` has saved something; false after a minute.
bool wait_for_first_batch(const std::filesystem::path& out);

/// arr_0 or arr_1 of out/samples.npz.
Tensor array_of(const std::filesystem::path& out, const std::string& name = "arr_0");

}  // namespace sextant::cli::testing
