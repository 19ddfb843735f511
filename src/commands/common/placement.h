// Where the networks of a run compute.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "internal/commands/run.h"
#include "internal/distributed/group.h"
#include "sextant/models/models.h"

namespace sextant::commands {

/// The settings as this process of a launcher's job runs: its part of the cores, the card of its local rank.
void place(RunConfig& run);

/// The processes that do this run together.
std::unique_ptr<distributed::Group> group_of(const RunConfig& run);

/// Sees that the processes of a job do one work: UsageError, in all of them, names the first that does not and the
/// first entry of its `identity`, which the result depends on, that is not that of the first process.
void agree(distributed::Group& group, const nlohmann::json& identity);

/// kAuto becomes the one that this machine has, so that what is recorded, and what a later run compares itself
/// with, is what computed. Error for a device that there is not.
void resolve_device(RunConfig& run);

/// Where the run's networks compute; sets how the process computes on a GPU. `parts` are precisions of single networks
/// that the settings name. Error for a device that there is not, or a precision in which it does not compute;
/// UsageError for networks in fp32 beside others in tf32.
models::Placement placement_of(const RunConfig& run, const std::vector<std::optional<Precision>>& parts = {});

}  // namespace sextant::commands
