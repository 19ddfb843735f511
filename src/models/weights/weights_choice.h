// Choosing among groups that fit.
#pragma once

#include "sextant/models/models.h"
#include "weights/groups.h"

namespace sextant::models {

/// Those that `choice` may mean: of that name, else below it, else with it among the names of their path; all for "".
std::vector<const Group*> matching(const std::vector<Group>& groups, const std::string& choice);

/// The one that `choice` means, averages before weights. CheckpointError that names two that differ, UsageError that
/// lists all where none is meant. `source` is the file, for messages.
const Group& pick_group(const std::vector<Group>& all, const std::string& choice, const std::string& source);

/// The tensors whose names begin with `prefix`. UsageError where none does.
Weights below_prefix(const checkpoint::Checkpoint& file, const std::string& prefix);

/// Where no group fits: the one that is chosen, or the usual one. UsageError for a choice that there is not.
Weights likeliest(const checkpoint::Checkpoint& file, const WeightsChoice& choice);

/// Lines for a reader: what was taken, what fits too, what was dropped.
std::vector<std::string> notes_on(const Group& taken, const std::vector<Group>& all,
                                  const checkpoint::Checkpoint& file);

}  // namespace sextant::models
