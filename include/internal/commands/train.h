// The jobs of `sextant train` and `sextant finetune`: settings, work, files.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "internal/commands/run.h"
#include "internal/runtime/options.h"
#include "sextant/calibration/calibration.h"
#include "sextant/data/images.h"
#include "sextant/diffusion/process.h"
#include "sextant/models/classifier.h"
#include "sextant/models/models.h"
#include "sextant/runtime/progress.h"
#include "sextant/training/objectives.h"
#include "sextant/training/trainer.h"

namespace sextant::commands {

/// Settings of both commands; train_options() and finetune_options() explain each. Images are given as in
/// data/images.h, models as folder or checkpoint file; "" is none.
struct TrainConfig {
  // [train] or [finetune], with trainer.steps, batch and seed
  std::string data;
  std::string labels;                 ///< IDX file of their labels; "" is the one beside the images
  std::string attributes;             ///< CSV of answers to attributes, a line an image, instead of labels; "" is none
  std::string validation_attributes;  ///< as `attributes`; "" where that names its images
  std::string validation;             ///< held-out images
  std::string validation_labels;      ///< as `labels`
  int64_t hold_out = 0;               ///< validates on so many of the training images instead; 0 is off
  int64_t validation_count = 0;       ///< validates on the first so many; 0 is all
  int64_t skip_per_class = 0;         ///< the first images of each class that are left out
  int64_t take_per_class = 0;         ///< images of each class that are used after those; 0 is all
  std::string model;                  ///< architecture to train, or the classifier to fine-tune
  std::string arch;                   ///< that by name; of a checkpoint file in a fine-tuning
  models::WeightsChoice weights;      ///< of `init`; of `model` in a fine-tuning
  std::string init;                   ///< first weights; "" draws them by the seed
  std::string test;                   ///< images of the comparison before and after a fine-tuning; "" is `validation`
  double epochs = 0;                  ///< times that every image is seen; need not be whole
  int64_t image_size = 0;             ///< shorter side that images are scaled to, see data::with_size(); 0 leaves them
  int64_t image_crop = 0;             ///< side of the middle that is cut out; 0: as `image_size`
  bool skip_bad = false;              ///< leave out images that cannot be read
  data::Cifar100Labels cifar100 = data::Cifar100Labels::kFine;
  /// What a classifier that is fine-tuned sees; other than kConfig and 0 it goes into the model's config.json.
  models::ClassifierInput classifier_input = models::ClassifierInput::kConfig;
  int64_t classifier_size = 0;  ///< images are resized to so many pixels square for it; 0 leaves them

  /// [optimizer], [augment] and most of [control]; 0 steps: as many as `epochs` are.
  training::TrainerConfig trainer;

  // [loss]
  training::DenoisingConfig denoising;
  training::ClassificationConfig classification;
  training::Timesteps timesteps = training::Timesteps::kUniform;  ///< of either
  std::optional<diffusion::MeanType> predict;                     ///< none: as the model's configuration says

  /// The recipe's [model] table: a config.json, instead of --model or --arch. Null without.
  nlohmann::json architecture;
  RunConfig run;  ///< in [train] or [finetune], and [control]
};

/// The defaults of `sextant train` are those of TrainConfig.
TrainConfig finetune_defaults();

/// The tables of the commands; the rows point into `config`.
std::vector<OptionGroup> train_options(TrainConfig& config);
std::vector<OptionGroup> finetune_options(TrainConfig& config);

struct TrainResult {
  bool complete = false;       ///< false after a stop
  bool there_already = false;  ///< a former run had finished it
  int64_t steps = 0;           ///< finished, those of former runs included
  int64_t best_step = 0;       ///< whose weights were kept
  /// What the test images measure, before and after a fine-tuning.
  std::optional<calibration::Measures> before, after;
};

/// Trains a network from new weights (or --init's) into config.run.out: a model folder (config.json, model.safetensors
/// with the averaged weights) with metrics.jsonl, loss.svg, learning-rate.svg, gradient-norm.svg, samples of a
/// diffusion model, run.json, and checkpoints/ from which a run that was stopped or killed continues bit by bit.
TrainResult run_train(const TrainConfig& config, Progress& progress, const Stop& stop);

/// Fine-tunes a trained classifier with cross entropy + lambda SmoothECE (Algorithm 2), likewise. Adds
/// calibration.md, reliability-before and reliability-after (SVG and PNG) of the test images.
TrainResult run_finetune(const TrainConfig& config, Progress& progress, const Stop& stop);

/// accuracy, ECE and NLL before and after, as a table for a terminal.
std::string finetune_text(const TrainResult& result);

}  // namespace sextant::commands
