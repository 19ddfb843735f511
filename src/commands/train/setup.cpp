#include "train/setup.h"

#include <c10/util/StringUtil.h>

#include "common/placement.h"
#include "internal/models/class_names.h"
#include "internal/runtime/text.h"
#include "sextant/models/denoiser.h"
#include "sextant/networks/network.h"
#include "sextant/runtime/device.h"
#include "sextant/runtime/error.h"
#include "train/answers.h"
#include "train/identity.h"
#include "train/network.h"
#include "train/settings_without_effect.h"

namespace sextant::commands {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

int64_t channels_of(const networks::Network& network, const json& model) {
  if (const auto* noise = dynamic_cast<const networks::NoiseNetwork*>(&network)) return noise->image_shape()[0];
  if (const auto* features = dynamic_cast<const networks::FeatureNetwork*>(&network)) return features->channels();
  return model.value("/model/in_channels"_json_pointer, int64_t{3});
}

/// The side that images must have, 0 for any.
int64_t fixed_size_of(const networks::Network& network) {
  if (const auto* noise = dynamic_cast<const networks::NoiseNetwork*>(&network)) return noise->image_shape()[1];
  const auto* classifier = dynamic_cast<const networks::ClassifierNetwork*>(&network);
  return classifier ? classifier->image_size() : 0;
}

int64_t size_of(const networks::Network& network, const json& model) {
  if (const int64_t fixed = fixed_size_of(network); fixed > 0) return fixed;
  const int64_t of_model = model.value("/model/image_size"_json_pointer, int64_t{0});
  return of_model > 0 ? of_model : model.value("/input/size"_json_pointer, int64_t{0});
}

/// What images are scaled to. A classifier that resizes for itself leaves those that are of one size anyway.
int64_t size_for(const fs::path& path, const networks::Network& network, const json& model) {
  const int64_t resized = model.value("/input/resized_to"_json_pointer, int64_t{0});
  if (resized == 0 || fixed_size_of(network) > 0) return size_of(network, model);
  return fs::is_directory(path) ? resized : 0;
}

/// With attributes the images need no labels.
std::shared_ptr<training::TrainingImages> images_of(const training::TrainingImages::Source& source,
                                                    const TrainSetup& setup, bool attributes) {
  return std::make_shared<training::TrainingImages>(source, channels_of(*setup.network, setup.model),
                                                    size_for(source.path, *setup.network, setup.model),
                                                    attributes ? 0 : classes_of(*setup.network, setup.model));
}

/// Attributes go with classifiers, and with a classifier of attributes.
bool has_attributes(const TrainConfig& config, TrainTask task, const TrainSetup& setup) {
  const bool judges = models::predicts_attributes(setup.model);
  if (task == TrainTask::kFinetune && judges) {
    throw UsageError("--model " + config.model +
                     " judges attributes; finetune repairs classifiers of classes ('sextant train --init' with its "
                     "--attributes trains it further)");
  }
  if (config.attributes.empty() && judges) {
    throw UsageError("--attributes is needed: a CSV of what each image answers to " +
                     joined(models::class_names_of(setup.model), ", "));
  }
  if (config.attributes.empty() && !config.validation_attributes.empty()) {
    throw UsageError("--validation-attributes needs --attributes of the training images");
  }
  if (!config.attributes.empty() && dynamic_cast<const networks::ClassifierNetwork*>(setup.network.get()) == nullptr) {
    throw UsageError("--attributes are of classifiers; type '" + setup.model.at("type").get<std::string>() +
                     "' is none");
  }
  return !config.attributes.empty();
}

void open_images(const TrainConfig& config, TrainTask task, TrainSetup& setup) {
  using data::Split;
  if (!config.validation.empty() && config.hold_out > 0)
    throw UsageError("--validation and --hold-out contradict each other");
  if (const int64_t fixed = fixed_size_of(*setup.network);
      fixed > 0 && config.image_crop > 0 && config.image_crop != fixed) {
    throw UsageError(c10::str("--image-crop ", config.image_crop, ": the network takes images of ", fixed, "x", fixed,
                              "; leave it out, or scale with --image-size"));
  }
  const auto source = [&](const std::string& path, Split split, const std::string& labels,
                          const std::vector<std::string>& names) {
    return training::TrainingImages::Source{
        path,  split,          labels, config.image_size, config.image_crop, /*whole=*/false, config.skip_bad,
        names, config.cifar100};
  };
  auto training = source(config.data, Split::kTrain, config.labels, models::class_names_of(setup.model));
  training.whole = config.trainer.augmentation.resize > 0;
  const bool attributes = has_attributes(config, task, setup);
  setup.images = images_of(training, setup, attributes);
  if (attributes) open_answers(config, setup, classes_of(*setup.network, setup.model));
  // The other sets go by the names of this one, of which they may lack some.
  const std::vector<std::string>& names = setup.images->class_names();
  setup.images->restrict(config.skip_per_class, config.take_per_class);
  if (!config.validation.empty()) {
    setup.validation =
        images_of(source(config.validation, Split::kTest, config.validation_labels, names), setup, attributes);
    if (attributes) open_validation_answers(config, setup);
  } else if (config.hold_out > 0) {
    setup.validation =
        std::make_shared<training::TrainingImages>(setup.images->hold_out(config.hold_out, config.trainer.seed));
  }
  if (task == TrainTask::kFinetune) {
    setup.test =
        config.test.empty() ? setup.validation : images_of(source(config.test, Split::kTest, {}, names), setup, false);
  }
  for (const auto& images : {setup.images, setup.validation, setup.test}) {
    for (const std::string& line : images ? images->notes() : std::vector<std::string>{}) {
      if (std::find(setup.notes.begin(), setup.notes.end(), line) == setup.notes.end()) setup.notes.push_back(line);
    }
  }
  const bool all_named = static_cast<int64_t>(names.size()) == classes_of(*setup.network, setup.model);
  if (setup.role == models::Role::kClassifier && !attributes && all_named && !names.empty())
    setup.model["classes"] = names;
  if (setup.validation && config.validation_count > 0) {
    setup.validation = std::make_shared<training::TrainingImages>(*setup.validation);
    setup.validation->head(config.validation_count);
  }
}

int64_t steps_of(const TrainConfig& config, int64_t images) {
  if (config.trainer.steps > 0) return config.trainer.steps;
  const double steps = config.epochs * static_cast<double>(images) / static_cast<double>(config.trainer.batch);
  return std::max<int64_t>(1, std::llround(std::ceil(steps)));
}

/// The settings with what follows from the network and the images.
training::TrainerConfig resolved(const TrainConfig& config, const TrainSetup& setup, at::ScalarType compute) {
  training::TrainerConfig t = config.trainer;
  t.folder = config.run.out;
  t.identity = identity_of(config, setup);
  t.steps = t.learning_rate.steps = steps_of(config, setup.images->size());
  if (setup.role != models::Role::kNoise) t.sample_every = 0;
  t.augmentation.side = t.augmentation.resize > 0 ? size_of(*setup.network, setup.model) : 0;
  if (t.augmentation.resize > 0 && t.augmentation.side == 0) {
    throw UsageError(
        "--random-resize: the network takes images of any size; say one as image_size of its config.json's "
        "\"model\" or size of its \"input\"");
  }
  if (t.augmentation.resize > 0 && t.augmentation.crop > 0) {
    throw UsageError("--random-resize cuts images, --crop moves them; use one of them");
  }
  t.validates = setup.validation != nullptr;
  t.keeps_best = t.keeps_best && t.validates;
  t.compute = compute;
  return t;
}

}  // namespace

training::ClassificationConfig classification_config(const TrainConfig& config, const TrainSetup& setup) {
  training::ClassificationConfig c = config.classification;
  c.noisy = uses_time(*setup.network);
  if (c.noisy) c.process = models::process_config(setup.model.value("diffusion", json::object()));
  c.timesteps = config.timesteps;
  c.seed = config.trainer.seed;
  return c;
}

training::DenoisingConfig denoising_config(const TrainConfig& config, const TrainSetup& setup) {
  training::DenoisingConfig c = config.denoising;
  c.process = models::process_config(setup.model.value("diffusion", json::object()));
  c.null_label = setup.model.value("null_label", int64_t{-1});
  c.timesteps = config.timesteps;
  c.seed = config.trainer.seed;
  return c;
}

std::unique_ptr<distributed::Group> join_training(TrainConfig& config) {
  std::unique_ptr<distributed::Group> group = group_of(config.run);
  place(config.run);
  return group;
}

TrainSetup open_training(const TrainConfig& config, TrainTask task) {
  if (config.data.empty()) throw UsageError("--data is needed: the training images");
  if (config.trainer.steps == 0 && !(config.epochs > 0))
    throw UsageError("--epochs or --steps is needed: how long to train");
  if (task == TrainTask::kFinetune && config.test.empty() && config.validation.empty() && config.hold_out == 0) {
    throw UsageError("--test, --validation or --hold-out is needed: images to measure calibration on");
  }
  set_threads(static_cast<int>(config.run.threads));
  const models::Placement placement = placement_of(config.run);
  TrainSetup setup;
  TrainConfig copy = config;
  setup.settings = task == TrainTask::kTrain ? OptionTable("train", train_options(copy)).to_json()
                                             : OptionTable("finetune", finetune_options(copy)).to_json();
  if (!config.architecture.is_null()) setup.settings["model"] = config.architecture;
  open_network(config, task, setup);
  open_images(config, task, setup);
  const std::vector<std::string> idle = settings_without_effect(config, task, setup);
  setup.notes.insert(setup.notes.end(), idle.begin(), idle.end());
  setup.trainer = resolved(config, setup, dtype_of(config.run.precision));
  setup.network->to(placement.device, at::kFloat);  // the trainer rounds the weights of half-precision networks
  setup.network->train();
  return setup;
}

}  // namespace sextant::commands
