// Pickles of numpy arrays: data sets and statistics that Python's users keep in dictionaries.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "internal/checkpoint/file.h"

namespace sextant::checkpoint {

/// What a pickle holds, by names that are joined with dots where dictionaries are nested: "data", "fid.mu". Keys are
/// text or bytes alike.
struct PickledArrays {
  std::map<std::string, Tensor> arrays;                   ///< native byte order, C order; they keep the file's bytes
  std::map<std::string, std::vector<int64_t>> numbers;    ///< whole numbers, and lists of them alone
  std::map<std::string, std::vector<std::string>> texts;  ///< lists of texts
};

/// Whether `bytes` begin as pickles of protocol 2 or newer do.
bool is_pickle(Bytes bytes);

/// Reads the pickle as data: nothing is executed. What is none of these is left out. Throws Malformed.
PickledArrays read_pickled_arrays(const Blob& bytes);

}  // namespace sextant::checkpoint
