// A training by several processes.
#pragma once

#include "internal/distributed/group.h"
#include "sextant/training/trainer.h"

namespace sextant::training {

/// train() by the processes of `group`: each takes a share of every batch, the gradients are added, and all keep the
/// same weights. The first process writes; only its result has weights. Images, noise and timesteps go by an image's
/// number, batch norms see the whole batch and losses are means over images, so only rounding depends on how many
/// processes there are; but with micro-batches batch norms see one of each process together. UsageError for a batch
/// with fewer images than processes.
TrainerResult train(networks::Network& network, Objective& objective, const TrainingImages& images,
                    const TrainerConfig& config, const SampleHook& sample, distributed::Group& group,
                    Progress& progress, const Stop& stop);

}  // namespace sextant::training
