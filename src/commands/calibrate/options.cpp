#include "calibrate/levels.h"
#include "common/classifier_options.h"
#include "common/image_options.h"
#include "common/opened_weights.h"
#include "common/run_options.h"
#include "internal/commands/calibrate.h"
#include "sextant/calibration/calibration.h"

namespace sextant::commands {

const Words<FitMethod>& fit_words() {
  static const Words<FitMethod> kWords = {
      {"none", FitMethod::kNone}, {"temperature", FitMethod::kTemperature}, {"vector", FitMethod::kVector}};
  return kWords;
}

const Words<Shown>& shown_words() {
  static const Words<Shown> kWords = {{"clean", Shown::kClean}, {"xt", Shown::kXt}, {"x0", Shown::kX0}};
  return kWords;
}

std::string word_of(Shown shown) { return sextant::word_of(shown_words(), shown); }

std::vector<OptionGroup> calibrate_options(CalibrateConfig& c) {
  using data::Split;
  constexpr double kMost = 1e9;
  OptionGroup classifier = classifier_options(c.classifier, "Network to measure");
  classifier.options.push_back({"--softplus-sweep", &c.softplus_sweep, Anything{},
                                "Several --softplus-beta, to be compared: \"0,1,3,5\"", "LIST"});
  return {
      {"calibrate", "What to measure",
       appended(
           appended(
               std::vector<Option>{
                   {"--data", &c.data, Anything{},
                    "Labelled images: a folder of MNIST's IDX files or one of them, CIFAR's files, a "
                    "folder with a subfolder for every class, or an .npz with arr_0 and arr_1",
                    "PATH"},
                   choice("--split", &c.split, {{"test", Split::kTest}, {"train", Split::kTrain}},
                          "Part of a data set that has both"),
                   {"--labels", &c.labels, Anything{}, "IDX file of labels; left out it is the one beside the images",
                    "PATH"},
                   {"--count", &c.count, Range{0, kMost}, "The first so many images; 0 takes all", ""},
                   {"--batch", &c.batch, Range{1, 1e6}, "Images at a time; changes speed and memory only", ""},
                   {"--bins", &c.measures.bins, c.measures.kBins, "Bins of every calibration error", ""},
                   {"--beta", &c.measures.beta, calibration::kSmoothEceBeta,
                    "Smoothing of Smooth ECE, whose floor is its square root", ""},
                   {"--seed", &c.seed, Range{0, kUnlimited}, "Seed of the noise and of what is held out for --fit", ""},
                   out_option(c.run,
                              "calibration.json, table.md, table.csv and the diagrams, where a killed run goes on; "
                              "left out nothing is written"),
                   format_option(&c.format),
               },
               image_options(&c.image_size, &c.image_crop, &c.skip_bad, &c.cifar100)),
           run_options(c.run))},
      classifier,
      {"levels", "Along the noise levels",
       appended(
           std::vector<Option>{
               {"--model", &c.model.path, Anything{}, "Diffusion model that estimates the clean image of a noised one",
                "PATH"},
               {"--arch", &c.model.arch, Anything{},
                "Architecture of its checkpoint file; empty is what its folder says", "NAME"},
               {"--unconditional", &c.model.unconditional, Anything{}, "Do not tell the model the images' classes", ""},
               {"--levels", &c.levels, Anything{},
                "Timesteps of the model, or of a noise-aware classifier, such as \"0,250,500\"; standard deviations of "
                "the noise for an EDM model and where there is no model. Left out it is, with a --model of timesteps, "
                "every tenth of the way, with an EDM model \"" +
                    std::string(kUsualSigmas) + "\"",
                "LIST"},
               choice(
                   "--inputs", &c.inputs,
                   {{"auto", LevelInputs::kAuto},
                    {"xt", LevelInputs::kXt},
                    {"x0", LevelInputs::kX0},
                    {"xt+x0", LevelInputs::kBoth}},
                   "Noised images, and the model's estimate of the clean ones; auto is both with a --model, else xt"),
           },
           weights_rows("", &c.model.weights.group, &c.model.weights.prefix, "the --model"))},
      {"fit",
       "Repair",
       {
           choice("--fit", &c.fit, fit_words(),
                  "Rescale the logits for the least negative log-likelihood: by one number, or by a scale and a shift "
                  "for every class"),
           {"--fit-data", &c.fit_data, Anything{},
            "Images to fit on, like --data; left out a share of those is held out for it", "PATH"},
           choice("--fit-split", &c.fit_split,
                  {{"same", std::nullopt}, {"test", Split::kTest}, {"train", Split::kTrain}},
                  "Part of --fit-data, or of --data, to fit on; same is that of --split"),
           {"--fit-count", &c.fit_count, Range{0, kMost}, "The first so many of them; 0 takes all", ""},
           {"--fit-share", &c.fit_share, Range{0.01, 0.99}, "Share of --data that is held out, drawn by --seed", ""},
           choice("--fit-on", &c.fit_on, shown_words(),
                  "Fit on images as they are, or on what the classifier sees at all --levels together"),
           {"--ridge", &c.ridge, calibration::kRidge, "vector: pull towards no change", ""},
           {"--save", &c.save, Anything{}, "Folder for the calibrated classifier, which --classifier takes", "DIR"},
       }},
  };
}

}  // namespace sextant::commands
