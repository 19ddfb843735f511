#include <c10/util/StringUtil.h>

#include "common/placement.h"
#include "internal/commands/train.h"
#include "internal/models/class_names.h"
#include "internal/training/shared.h"
#include "sextant/models/denoiser.h"
#include "sextant/runtime/error.h"
#include "train/folder.h"
#include "train/results.h"
#include "train/setup.h"

namespace sextant::commands {
namespace {

std::unique_ptr<training::Objective> objective_of(const TrainConfig& config, const TrainSetup& setup) {
  if (const auto network = std::dynamic_pointer_cast<networks::NoiseNetwork>(setup.network)) {
    const auto build = [model = setup.model] { return std::shared_ptr<networks::Network>(models::build(model)); };
    return training::denoising(network, denoising_config(config, setup), build, setup.validation);
  }
  if (setup.role != models::Role::kClassifier && setup.role != models::Role::kFeatures) {
    throw UsageError("networks of type '" + setup.model.at("type").get<std::string>() +
                     "' cannot be trained; diffusion models at discrete timesteps and classifiers can");
  }
  if (models::predicts_attributes(setup.model)) {
    return training::attribute_classification(setup.network, setup.model, classification_config(config, setup),
                                              setup.validation);
  }
  return std::make_unique<training::Classification>(setup.network, setup.model, classification_config(config, setup),
                                                    setup.validation);
}

/// One line for config.json: what a reader needs to judge the model.
std::string how_trained(const TrainConfig& config, const TrainSetup& setup, const training::TrainerResult& result) {
  const training::TrainerConfig& t = config.trainer;
  return c10::str("sextant train: ", setup.images->size(), " images, batch ", t.batch, ", ", result.best_step,
                  " steps, ", t.adam.decoupled ? "adamw " : "adam ", t.learning_rate.lr, ", weight decay ",
                  t.adam.weight_decay, t.ema > 0 ? c10::str(", moving average ", t.ema) : "", ", seed ", t.seed, ", ",
                  setup.settings.at("control").at("precision").get<std::string>());
}

TrainResult trained_by(distributed::Group& group, const TrainConfig& config, Progress& progress, const Stop& stop) {
  TrainSetup setup = open_training(config, TrainTask::kTrain);
  for (const std::string& line : setup.notes) progress.note("note: " + line);
  agree(group, {{"settings", setup.trainer.identity}, {"weights", setup.weights.record()}});
  const TrainFolder folder(config.run.out, setup.trainer.identity, config.run.overwrite);
  if (folder.complete()) return folder.former();
  setup.trainer.identity = folder.identity();
  setup.trainer.replaces = folder.replaces();
  const auto objective = objective_of(config, setup);
  const training::TrainerResult trained = training::train(*setup.network, *objective, *setup.images, setup.trainer,
                                                          sample_hook(folder.path(), setup), group, progress, stop);
  if (group.leads()) write_curves(folder.path());
  TrainResult result{trained.complete, false, trained.steps, trained.best_step, {}, {}};
  if (!trained.complete || !group.leads()) return result;
  write_model(folder.path(), setup, trained, how_trained(config, setup, trained));
  folder.write_record("train", setup, trained, nlohmann::json::object());
  return result;
}

}  // namespace

TrainResult run_train(const TrainConfig& given, Progress& progress, const Stop& stop) {
  TrainConfig config = given;
  const std::unique_ptr<distributed::Group> group = join_training(config);
  TrainResult result;
  group->run([&] { result = trained_by(*group, config, progress, stop); });
  return result;
}

}  // namespace sextant::commands
