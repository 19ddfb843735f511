// How CIFAR's files are told from other sets.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "sextant/data/images.h"

namespace sextant::data {

/// The folder, archive or file of CIFAR that `path` stands for: `path` itself, or the one folder of CIFAR's in it, as
/// torchvision unpacks it; "" where it is none. Files are told by their names, single batches of the python version by
/// their contents too. DataError for a folder that cannot be listed.
std::filesystem::path cifar_in(const std::filesystem::path& path);

/// Images of one batch file.
struct CifarBatch {
  Tensor pixels;  ///< uint8 [N, 3, 32, 32]
  Tensor labels;  ///< int64 [N]
};

/// One file of the binary or the python version, told apart by its contents. std::runtime_error with the reason.
CifarBatch read_cifar_batch(const Tensor& bytes, const std::string& name, Cifar100Labels kind);

/// The names of the classes in a file of meta data of either version.
std::vector<std::string> read_cifar_names(const Tensor& bytes, const std::string& name, Cifar100Labels kind);

}  // namespace sextant::data
