// Files that their publishers offer and recipes name.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace sextant::models {

struct PublishedFile {
  std::string name;     ///< as published, but where a note says otherwise
  std::string size;     ///< "1.7 GB"
  std::string address;  ///< the publisher's
  std::string sha256;   ///< as far as the publisher states it: all of it, its beginning, or ""
  std::string note;     ///< what else to do, or ""
};

/// docs/checkpoints.md has the same list; a test compares them.
const std::vector<PublishedFile>& published_files();

/// The published file of the name that `path` ends in; null where none is called so.
const PublishedFile* published_file(const std::filesystem::path& path);

}  // namespace sextant::models
