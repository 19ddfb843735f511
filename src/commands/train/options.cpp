#include "common/classifier_options.h"
#include "common/image_options.h"
#include "common/opened_weights.h"
#include "common/run_options.h"
#include "internal/commands/train.h"
#include "sextant/calibration/calibration.h"
#include "sextant/models/denoiser.h"

namespace sextant::commands {
namespace {

constexpr double kMost = 1e9;

OptionGroup optimizer_options(TrainConfig& c) {
  using Decay = training::LearningRateSchedule::Decay;
  training::TrainerConfig& t = c.trainer;
  training::LearningRateSchedule& rate = t.learning_rate;
  return {
      "optimizer",
      "Optimiser",
      {
          choice("--optimizer", &t.adam.decoupled, {{"adam", false}, {"adamw", true}},
                 "adamw decays weights apart from the gradient"),
          {"--lr", &rate.lr, rate.kLr, "Largest learning rate", ""},
          {"--warmup", &rate.warmup, rate.kWarmup, "Steps in which it rises from 0", ""},
          choice("--decay", &rate.decay,
                 {{"constant", Decay::kConstant}, {"linear", Decay::kLinear}, {"cosine", Decay::kCosine}},
                 "How it falls"),
          {"--lr-final", &rate.lr_final, rate.kLrFinal,
           "Where it falls to, as a share of --lr; the step after the last would have it", ""},
          {"--weight-decay", &t.adam.weight_decay, t.adam.kWeightDecay, "Decay of all weights", ""},
          {"--beta2", &t.adam.beta2, t.adam.kBeta, "Adam's second decay; the first is 0.9", ""},
          {"--clip", &t.clip, t.kClip, "Largest norm of the gradient; 0 is off", ""},
          {"--ema", &t.ema, t.kEma,
           "Rate of the moving average of the weights, which is what is saved; at step n at most (1 + n)/(10 + n), so "
           "that 0.999 is reached after about 9000; 0 is off",
           ""},
      }};
}

OptionGroup augment_options(training::Augmentation& a) {
  return {
      "augment",
      "Augmentation",
      {
          {"--crop", &a.crop, a.kCrop, "Move images by up to so many pixels (pad and crop)", ""},
          {"--crop-fill", &a.crop_fill, a.kCropFill, "Byte that comes in at the edge", ""},
          {"--random-resize", &a.resize, a.kResize,
           "Instead of --crop: random pieces of whole images, as guided-diffusion cuts them; the least share of the "
           "shorter side (theirs: 0.8); 0 is off",
           ""},
          {"--flip", &a.flip, Anything{}, "Exchange left and right, half of the times", ""},
      }};
}

std::vector<Option> data_options(TrainConfig& c) {
  return appended(
      std::vector<Option>{
          {"--data", &c.data, Anything{},
           "Training images: MNIST's or CIFAR's files, a folder with one subfolder a class, or .npz", "PATH"},
          {"--labels", &c.labels, Anything{}, "Labels of IDX images; left out it is the file beside them", "FILE"},
          {"--skip-per-class", &c.skip_per_class, Range{0, kMost}, "Leave out the first images of each class", ""},
          {"--take-per-class", &c.take_per_class, Range{0, kMost}, "Then use so many of each class; 0 uses all", ""},
          {"--validation", &c.validation, Anything{},
           "Images to validate on, in any form that --data takes; of a set with a test part, that part", "PATH"},
          {"--validation-labels", &c.validation_labels, Anything{}, "Their labels, as --labels", "FILE"},
          {"--hold-out", &c.hold_out, Range{0, kMost}, "Validate on so many of the training images instead", ""},
          {"--validation-count", &c.validation_count, Range{0, kMost}, "Validate on the first so many; 0 uses all", ""},
      },
      image_options(&c.image_size, &c.image_crop, &c.skip_bad, &c.cifar100));
}

std::vector<Option> length_options(TrainConfig& c) {
  return {
      out_option(c.run, "the model and all about its training; continues what is in it"),
      overwrite_option(c.run, "Start anew where --out holds another training"),
      {"--epochs", &c.epochs, Range{0, 1e6}, "Times that every image is seen", ""},
      {"--steps", &c.trainer.steps, c.trainer.kSteps, "Steps, instead of --epochs", ""},
      {"--batch", &c.trainer.batch, c.trainer.kBatch, "Images a step", ""},
      {"--micro-batch", &c.trainer.micro_batch, c.trainer.kMicroBatch,
       "Images in memory at a time, the step's gradient being their sum; 0 is all of --batch. Batch "
       "norms take their statistics of so many",
       ""},
      {"--seed", &c.trainer.seed, Range{0, kUnlimited}, "Seed of everything random", ""},
  };
}

OptionGroup control_options(TrainConfig& c) {
  using training::Criterion;
  return {"control", "Control",
          appended(
              {
                  choice("--keep", &c.trainer.keeps_best, {{"last", false}, {"best", true}},
                         "Weights to save at the end: the last or the best validated"),
                  choice("--criterion", &c.classification.criterion,
                         {{"nll", Criterion::kNll},
                          {"ece", Criterion::kEce},
                          {"loss", Criterion::kLoss},
                          {"error", Criterion::kError}},
                         "What is best, for classifiers; diffusion models go by their loss"),
                  {"--patience", &c.trainer.patience, c.trainer.kPatience,
                   "Stop after so many validations without a better one; 0 is off", ""},
                  {"--log-every", &c.trainer.log_every, c.trainer.kEvery, "Steps between lines of metrics.jsonl", ""},
                  {"--sample-every", &c.trainer.sample_every, c.trainer.kSampleEvery,
                   "Steps between sample grids of a diffusion model; 0 is off", ""},
                  {"--checkpoint-every", &c.trainer.checkpoint_every, c.trainer.kEvery,
                   "Steps between checkpoints, of which the last two stay", ""},
                  {"--workers", &c.trainer.workers, c.trainer.kWorkers,
                   "Threads that read and augment images ahead; changes speed only", ""},
              },
              run_options(c.run, "Arithmetic of the network; the weights are kept in fp32"))};
}

Option lambda_option(TrainConfig& c) {
  return {"--lambda", &c.classification.lambda, c.classification.kLambda,
          "Weight of the Smooth ECE in a classifier's loss, eq. (1)", ""};
}

Option beta_option(TrainConfig& c) {
  return {"--beta", &c.classification.beta, calibration::kSmoothEceBeta, "Smoothing of the Smooth ECE", ""};
}

Option entropy_option(TrainConfig& c) {
  return {"--entropy-weight", &c.classification.entropy_weight, c.classification.kLambda,
          "Weight of log K - H(p) in a classifier's loss (Zheng et al. 2022: 0.1)", ""};
}

Words<training::Timesteps> timesteps_words() {
  using training::Timesteps;
  return {{"uniform", Timesteps::kUniform},
          {"stratified", Timesteps::kStratified},
          {"loss-second-moment", Timesteps::kLossSecondMoment}};
}

/// The previous image is no target that is trained.
Words<std::optional<diffusion::MeanType>> predict_words() {
  Words<std::optional<diffusion::MeanType>> words = {{"", std::nullopt}};
  for (const auto& [word, mean] : models::mean_type_words()) {
    if (mean != diffusion::MeanType::kPreviousX) words.emplace_back(word, mean);
  }
  return words;
}

}  // namespace

TrainConfig finetune_defaults() {
  TrainConfig c;
  c.epochs = 5;
  c.trainer.batch = 128;
  c.trainer.learning_rate.lr = 1e-4;
  c.trainer.learning_rate.warmup = 50;
  c.trainer.adam.weight_decay = 0.01;
  c.trainer.clip = 1;
  c.trainer.ema = 0.99;
  c.trainer.keeps_best = true;
  c.trainer.patience = 3;
  c.classification.lambda = 1;
  return c;
}

std::vector<OptionGroup> train_options(TrainConfig& c) {
  using diffusion::Loss;
  const std::vector<Option> model = {
      {"--model", &c.model, Anything{}, "Architecture: a model folder or config.json, whose weights are not read",
       "PATH"},
      {"--arch", &c.arch, Anything{}, "Architecture by name, instead; a recipe may have a [model] table", "NAME"},
      {"--init", &c.init, Anything{}, "First weights: a model folder or checkpoint; left out they are drawn anew",
       "PATH"},
      {"--attributes", &c.attributes, Anything{},
       "Train a classifier of attributes: a CSV of 1 and 0 whose first line names them, a line an image in order or by "
       "file name",
       "FILE"},
      {"--validation-attributes", &c.validation_attributes, Anything{},
       "Those of --validation; left out they are in --attributes, by file name", "FILE"},
  };
  return {{"train", "What to train",
           appended(appended(appended(model, weights_rows("", &c.weights.group, &c.weights.prefix, "the --init")),
                             data_options(c)),
                    length_options(c))},
          optimizer_options(c),
          {"loss",
           "Loss",
           {
               choice("--loss", &c.denoising.loss,
                      {{"mse", Loss::kMse},
                       {"rescaled-mse", Loss::kRescaledMse},
                       {"kl", Loss::kKl},
                       {"rescaled-kl", Loss::kRescaledKl}},
                      "What a diffusion model minimises; the MSE ones add the bound of a learned variance"),
               choice("--predict", &c.predict, predict_words(),
                      "What a diffusion model predicts; left out as its configuration says"),
               {"--mse-weight", &c.denoising.mse_weight, c.denoising.kMseWeight,
                "Weight the squared error by 1/SNR(t), from 1 up to this; 1 is off", ""},
               choice("--timesteps", &c.timesteps, timesteps_words(), "How timesteps are drawn"),
               {"--label-dropout", &c.denoising.label_dropout, c.denoising.kLabelDropout,
                "Share of the labels replaced by the null label, for classifier-free guidance", ""},
               lambda_option(c),
               beta_option(c),
               entropy_option(c),
           }},
          augment_options(c.trainer.augmentation),
          control_options(c)};
}

std::vector<OptionGroup> finetune_options(TrainConfig& c) {
  const std::vector<Option> model = {
      {"--model", &c.model, Anything{}, "Classifier: a model folder or a checkpoint file", "PATH"},
      {"--arch", &c.arch, Anything{}, "Architecture of a checkpoint file; empty is what its folder says", "NAME"},
  };
  const std::vector<Option> seen =
      classifier_view_rows(&c.classifier_input, &c.classifier_size, "; saved with the model");
  Words<training::Timesteps> of_classifiers = timesteps_words();
  // The loss of a classifier is one of a batch.
  std::erase_if(of_classifiers, [](const auto& row) { return row.second == training::Timesteps::kLossSecondMoment; });
  const std::vector<Option> compared = {
      {"--test", &c.test, Anything{}, "Images of the comparison before and after; left out, those of --validation",
       "PATH"},
  };
  return {
      {"finetune", "What to fine-tune",
       appended(appended(appended(appended(appended(model, seen), compared),
                                  weights_rows("", &c.weights.group, &c.weights.prefix, "the --model")),
                         data_options(c)),
                length_options(c))},
      optimizer_options(c),
      {"loss",
       "Loss",
       {
           lambda_option(c),
           beta_option(c),
           entropy_option(c),
           choice("--timesteps", &c.timesteps, of_classifiers, "How timesteps of noise-aware classifiers are drawn"),
       }},
      augment_options(c.trainer.augmentation),
      control_options(c)};
}

}  // namespace sextant::commands
