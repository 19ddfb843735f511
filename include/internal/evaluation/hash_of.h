// Hashes by which a file or a network is recognised again, see ContentHash.
#pragma once

#include <filesystem>
#include <string>

#include "sextant/networks/network.h"

namespace sextant::evaluation {

/// The hash of a file's bytes, or of the names and bytes of files_below() a folder. DataError where one cannot be read.
std::string hash_of(const std::filesystem::path& path);

/// The hash of a network's parameters: names, shapes and numbers.
std::string hash_of(const networks::Network& network);

}  // namespace sextant::evaluation
