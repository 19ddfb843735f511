// Where processes find each other: a store of libtorch's c10d.
#pragma once

#include <chrono>
#include <string>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include "internal/distributed/world.h"

namespace sextant::distributed {

using Store = c10::intrusive_ptr<c10d::Store>;

/// `text` of the environment variable `name`, a number from 1 to `most`; UsageError for any other.
int64_t number_of(const char* name, const std::string& text, int64_t most);

/// The store that all processes of `world` open: a file for those that a launcher started on one machine, else a port
/// of rank 0's. `place` and `by_file` say which. UsageError where nothing says where to meet.
Store open_store(const World& world, const Environment& environment, std::chrono::milliseconds timeout,
                 std::string& place, bool& by_file);

}  // namespace sextant::distributed
