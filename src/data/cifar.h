// How CIFAR-10's binary version is told from other sets.
#pragma once

#include <filesystem>

namespace sextant::data {

/// Whether `path` is a .bin file or an archive by its name, or a folder with batches of CIFAR-10. DataError for a
/// folder that cannot be listed.
bool is_cifar10(const std::filesystem::path& path);

}  // namespace sextant::data
