#include "train/settings_without_effect.h"

#include "internal/models/class_names.h"
#include "train/network.h"

namespace sextant::commands {
namespace {

using nlohmann::json;

std::vector<Dependent> dependents(const TrainConfig& c, const std::string& first, const TrainSetup& setup) {
  using Decay = training::LearningRateSchedule::Decay;
  const bool denoises = setup.role == models::Role::kNoise;
  const bool validates = setup.validation != nullptr;
  std::vector<Dependent> all = {
      {denoises, "on a classifier", "loss", {"loss", "predict", "mse-weight", "label-dropout"}},
      {denoises, "on a classifier", "control", {"sample-every"}},
      {!denoises, "on a diffusion model", "loss", {"lambda", "beta", "entropy-weight"}},
      {!denoises, "on a diffusion model", "control", {"criterion"}},
      {denoises || validates, "without --validation or --hold-out", "control", {"criterion"}},
      {denoises || uses_time(*setup.network), "on a classifier that knows no timesteps", "loss", {"timesteps"}},
      {validates, "without --validation or --hold-out", "control", {"keep", "patience"}},
      {validates, "without --validation or --hold-out", first, {"validation-count"}},
      {!c.validation.empty(), "without --validation", first, {"validation-labels", "validation-attributes"}},
      {c.trainer.steps == 0, "beside --steps", first, {"epochs"}},
      {c.trainer.learning_rate.decay != Decay::kConstant, "with --decay constant", "optimizer", {"lr-final"}},
      {c.trainer.augmentation.crop > 0, "without --crop", "augment", {"crop-fill"}},
  };
  if (first == "train") {
    all.push_back({!c.init.empty(), "without --init", first, {"weights", "prefix"}});
    all.push_back({!models::predicts_attributes(setup.model), "on a classifier of attributes", "loss", {"beta"}});
  }
  return all;
}

}  // namespace

std::vector<std::string> settings_without_effect(const TrainConfig& config, TrainTask task, const TrainSetup& setup) {
  const bool trains = task == TrainTask::kTrain;
  TrainConfig defaults = trains ? TrainConfig() : finetune_defaults();
  const json standard = trains ? OptionTable("train", train_options(defaults)).to_json()
                               : OptionTable("finetune", finetune_options(defaults)).to_json();
  std::vector<std::string> notes;
  for (const auto& [key, why] :
       idle_settings(dependents(config, trains ? "train" : "finetune", setup), setup.settings, standard)) {
    notes.push_back("--" + key + " has no effect " + why);
  }
  // What finetune does by itself.
  const bool judged = config.trainer.keeps_best || config.trainer.patience > 0;
  if (!trains && judged && setup.validation == nullptr)
    notes.emplace_back("without --validation or --hold-out the last weights are saved, after all steps");
  return notes;
}

}  // namespace sextant::commands
