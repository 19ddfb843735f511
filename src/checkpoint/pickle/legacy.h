// PyTorch's format before 1.6, still what EDM's pickles store each tensor in: four pickles (magic number, protocol,
// system, object), a pickled list of storage keys, then for every key its element count and its elements.
#pragma once

#include "pickle/pickle.h"

namespace sextant::checkpoint {

/// Whether `bytes` start with the pickled magic number.
bool is_legacy(Bytes bytes);

/// The stream's object, every storage of it with its bytes. Throws Malformed.
Pickle read_legacy(const Blob& stream, int depth = 0);

/// A stream whose one object is a storage: that storage. Throws Malformed.
StorageRecord read_legacy_storage(const Blob& stream, int depth);

}  // namespace sextant::checkpoint
