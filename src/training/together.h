// What a trainer's processes do together, and what it refuses before they start.
#pragma once

#include <vector>

#include "internal/distributed/group.h"
#include "run_files.h"
#include "sextant/training/trainer.h"

namespace sextant::training {

/// UsageError for a setting out of its range.
void check(const TrainerConfig& config);

/// Of the first process, which cleans up; the others learn what it found.
RunFiles open_files(const TrainerConfig& config, distributed::Group& group);

/// Adds up the numbers over the processes; whether one of them `stops`.
bool add_up(Numbers& numbers, bool stops, distributed::Group& group);

/// The stretches of its share of a batch whose gradients this process takes one after the other, of at most
/// config.micro_batch images each; one where that is 0. Where they go `in_step` with those of the others, all processes
/// have as many and none is empty, for which some may have one image more.
std::vector<distributed::Group::Part> parts_of_share(const TrainerConfig& config, const distributed::Group& group,
                                                     bool in_step);

}  // namespace sextant::training
