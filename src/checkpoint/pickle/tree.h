// From a pickle's tree of values to a Checkpoint: tensors by dotted name, everything else worth knowing as JSON.
#pragma once

#include <functional>

#include "pickle/pickle.h"
#include "sextant/checkpoint/checkpoint.h"

namespace sextant::checkpoint {

/// The bytes of a storage, exactly numel elements.
using FetchStorage = std::function<Blob(const StorageRecord&)>;

/// Fills tensors, config and groups. Throws Malformed, also when there is no tensor at all; `without` says then why.
Checkpoint checkpoint_from(const Pickle& pickle, const FetchStorage& fetch, const std::string& without = "");

}  // namespace sextant::checkpoint
