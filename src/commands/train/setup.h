// What a training works with: the network, its images and its settings, opened and checked against each other.
#pragma once

#include <memory>

#include "common/opened_weights.h"
#include "internal/commands/train.h"
#include "internal/distributed/group.h"
#include "sextant/models/models.h"
#include "sextant/training/objectives.h"
#include "sextant/training/trainer.h"

namespace sextant::commands {

/// The training command that a configuration belongs to.
enum class TrainTask { kTrain, kFinetune };

struct TrainSetup {
  nlohmann::json model;  ///< config.json of the network
  models::Role role = models::Role::kClassifier;
  std::shared_ptr<networks::Network> network;  ///< with its first weights, opened for training
  std::shared_ptr<training::TrainingImages> images;
  std::shared_ptr<training::TrainingImages> validation;  ///< null: none
  std::shared_ptr<training::TrainingImages> test;        ///< of a fine-tuning
  training::TrainerConfig trainer;
  std::vector<std::string> notes;  ///< what a user should know of the images
  OpenedWeights weights;           ///< that it starts from; none of a training from new ones
  nlohmann::json settings;         ///< {"table": {"key": value}} of the run
};

/// The processes of a launcher's job, one without; `config` becomes this process's part. UsageError for settings that
/// need one process.
std::unique_ptr<distributed::Group> join_training(TrainConfig& config);

/// UsageError, CheckpointError and DataError for what does not fit.
TrainSetup open_training(const TrainConfig& config, TrainTask task);

/// The loss of a classifier by these settings; noise-aware where its network is.
training::ClassificationConfig classification_config(const TrainConfig& config, const TrainSetup& setup);

/// The loss of a diffusion model by these settings.
training::DenoisingConfig denoising_config(const TrainConfig& config, const TrainSetup& setup);

}  // namespace sextant::commands
