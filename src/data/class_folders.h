// From the names of class folders to labels.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "sextant/data/images.h"

namespace sextant::data {

/// TinyImageNet's validation images lie in one folder, and this file beside it names the class of each: lines of file
/// name, WordNet id and a box.
inline constexpr const char* kAnnotations = "val_annotations.txt";

struct FolderLabels {
  std::vector<int64_t> labels;           ///< of each name
  std::vector<std::string> class_names;  ///< by label; empty where folders are named by numbers
  Naming naming = Naming::kNone;
  std::string note;  ///< the mapping in a line, "" where the names are the labels
};

/// Labels of the sorted, different `names` of class folders in `folder`: the network's own names where all of them are
/// such, perhaps behind numbers; numbers mean the number, alone or before a name; WordNet ids are ImageNet's classes
/// unless the network has fewer than 1000; else the place in the sorted order. DataError for two names of one class.
FolderLabels labels_of_class_folders(const std::filesystem::path& folder, const std::vector<std::string>& names,
                                     const NetworkClasses& network);

}  // namespace sextant::data
