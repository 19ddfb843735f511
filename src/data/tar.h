// Tar archives, gzipped or not.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "sextant/runtime/tensor.h"

namespace sextant::data {

/// Files as uint8 [n] by their names without folders, in order of name.
using Parts = std::map<std::string, Tensor>;

/// The members whose names without folders are `wanted`. DataError that names the archive.
Parts read_tar(const std::filesystem::path& path, const std::function<bool(const std::string&)>& wanted);

/// A whole file, inflated if it is gzipped.
Tensor read_whole(const std::filesystem::path& path);

}  // namespace sextant::data
