// The folders that a run makes for its results before it can know whether there will be any.
#pragma once

#include <filesystem>
#include <vector>

namespace sextant::commands {

/// While it lives, folders that runs on this thread make are noted, by the innermost one; those of them that are still
/// empty are removed where it ends by an exception.
class MadeFolders {
 public:
  MadeFolders();
  ~MadeFolders();
  MadeFolders(const MadeFolders&) = delete;
  MadeFolders& operator=(const MadeFolders&) = delete;

  /// Notes `folder` and the folders above it that are not there yet; nothing where none lives.
  static void note(const std::filesystem::path& folder);

 private:
  MadeFolders* outer_;
  int exceptions_;
  std::vector<std::filesystem::path> folders_;
};

}  // namespace sextant::commands
