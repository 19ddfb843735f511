#include "train/network.h"

#include "internal/models/registry.h"
#include "internal/runtime/difference.h"
#include "internal/runtime/files.h"
#include "sextant/checkpoint/checkpoint.h"
#include "sextant/models/classifier.h"
#include "sextant/models/denoiser.h"
#include "sextant/networks/network.h"
#include "sextant/runtime/error.h"
#include "sextant/training/trainer.h"

namespace sextant::commands {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

json read_config(const fs::path& path) {
  const fs::path file = fs::is_directory(path) ? path / "config.json" : path;
  const json config = json::parse(read_file(file), nullptr, false);
  if (!config.is_object()) throw CheckpointError(file.string() + ": is no config.json of a model");
  return config;
}

/// The architecture of a training from new weights.
json architecture_of(const TrainConfig& config) {
  const int ways =
      (config.architecture.is_null() ? 0 : 1) + (config.arch.empty() ? 0 : 1) + (config.model.empty() ? 0 : 1);
  if (ways > 1) throw UsageError("--model, --arch and a recipe's [model] table each name an architecture; give one");
  if (!config.architecture.is_null()) return config.architecture;
  if (!config.arch.empty()) return models::arch_config(config.arch);
  if (!config.model.empty()) return read_config(config.model);
  throw UsageError("--model or --arch is needed: what to train, such as --model models/mnist-classifier");
}

/// What the old weights came with says nothing about the new ones; a classifier that is fine-tuned keeps how its logits
/// are rescaled, being trained as it is.
void forget_origin(json& model, TrainTask task) {
  for (const char* key :
       {"measured", "training", "source", "summary", "licence", "reference", "weights", "weights_group", "prefix"})
    model.erase(key);
  if (task == TrainTask::kTrain) model.erase("calibration");
}

/// What a classifier that is fine-tuned sees, and how its logits are rescaled.
void note_ends(const std::string& path, TrainSetup& setup) {
  const bool sees_pixels = dynamic_cast<const networks::ClassifierNetwork*>(setup.network.get()) != nullptr;
  if (sees_pixels && !uses_time(*setup.network) && !setup.model.contains("input")) {
    setup.notes.push_back(path +
                          ": nothing says which input this classifier was trained with; it gets pixels in [-1, 1] as "
                          "they are; \"input\" of a config.json says it");
  }
  if (!setup.model.contains("calibration")) return;
  const auto rescaling = classifiers::rescaling_of(setup.model, classes_of(*setup.network, setup.model));
  setup.model["calibration"] = classifiers::to_json(rescaling);  // without how it was found
  setup.notes.push_back(path +
                        ": its logits are rescaled (\"calibration\" of config.json); so they are measured and "
                        "trained, and the fine-tuned model keeps it");
}

/// What of a config.json the weights depend on, as first_difference() takes it.
json architecture_in(const json& config) {
  const json model = config.value("model", json::object());
  return {{"config.json", {{"type", config.value("type", json())}}},
          {"model", model.is_object() ? model : json::object()}};
}

/// The first weights of a training.
void load_init(const TrainConfig& config, TrainSetup& setup) {
  const auto opened = setup.weights.as("start", {}).opened;
  if (!fs::is_directory(config.init)) {
    models::load_network(*setup.network, {setup.model, config.init, nullptr, config.weights}, opened);
    return;
  }
  const checkpoint::ModelFolder folder = checkpoint::open_model_folder(config.init);
  try {
    models::load_network(*setup.network, {setup.model, folder.weights, nullptr, config.weights}, opened);
  } catch (const CheckpointError& problem) {
    // The folder says what it holds, better than a guess from the shapes of its weights.
    const std::string message = problem.what();
    const std::size_t guess = message.find("The file fits ");
    const json there = architecture_in(folder.config), here = architecture_in(setup.model);
    if (guess == std::string::npos || there == here) throw;
    throw CheckpointError(message.substr(0, guess) + "The networks differ: " + first_difference(there, here));
  }
}

}  // namespace

int64_t classes_of(const networks::Network& network, const json& model) {
  if (const auto* noise = dynamic_cast<const networks::NoiseNetwork*>(&network)) {
    const int64_t rows = noise->num_classes();
    return model.value("null_label", int64_t{-1}) >= 0 ? rows - 1 : rows;
  }
  if (const auto* classifier = dynamic_cast<const networks::ClassifierNetwork*>(&network))
    return classifier->num_classes();
  return model.value("/model/num_classes"_json_pointer, int64_t{10});
}

bool uses_time(const networks::Network& network) {
  const auto* classifier = dynamic_cast<const networks::ClassifierNetwork*>(&network);
  return classifier && classifier->uses_time();
}

void open_network(const TrainConfig& config, TrainTask task, TrainSetup& setup) {
  models::Description description;  // of the classifier to fine-tune
  if (task == TrainTask::kTrain) {
    setup.model = architecture_of(config);
  } else {
    if (config.model.empty()) throw UsageError("--model is needed: the classifier to fine-tune");
    description = models::describe(config.model, config.arch, config.weights);
    setup.model = models::with_input(description.config, config.classifier_input, config.classifier_size);
  }
  forget_origin(setup.model, task);
  setup.role = networks::family_of(setup.model).role;
  if (setup.role == models::Role::kNoise && config.predict)
    setup.model["diffusion"]["predict"] = word_of(models::mean_type_words(), *config.predict);
  setup.network = models::build(setup.model);
  if (task == TrainTask::kFinetune) {
    note_ends(config.model, setup);
    models::load_network(*setup.network, description, setup.weights.as("start", {}).opened);
  } else if (config.init.empty()) {
    training::initialise(*setup.network, setup.model.at("type"), config.trainer.seed);
  } else {
    load_init(config, setup);
  }
  for (const std::string& note : setup.weights.notes())
    setup.notes.push_back(note.substr(std::string("note: ").size()));
}

}  // namespace sextant::commands
