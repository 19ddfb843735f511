// Data sets as classifiers are trained and measured on them: images with labels, in a training and a test part.
//
// DataError, one line, names the file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "sextant/data/images.h"

namespace sextant::data {

/// What of a labelled data set is wanted.
struct LabelledOptions {
  Split split = Split::kTest;    ///< of a source that has both
  std::filesystem::path labels;  ///< IDX file of the labels of IDX images; empty takes the one beside them
  ReadOptions read = {};
};

/// The set that `path` stands for, every image with its label: what open_images() takes, a folder of MNIST's IDX files,
/// and a folder with train/ and test/ (or val/). Throws for images without labels and for class folders without images.
std::unique_ptr<ImageSet> open_labelled(const std::filesystem::path& path, const LabelledOptions& options = {});

}  // namespace sextant::data
