// What a trainer's processes do together, and what it refuses before they start.
#pragma once

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

/// Running statistics become their means over the processes.
void average(const std::vector<std::pair<std::string, Tensor>>& buffers, distributed::Group& group);

}  // namespace sextant::training
