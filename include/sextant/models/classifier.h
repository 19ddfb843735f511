// Opens trained classifiers, behind what they see of a diffusion model's pixels.
//
// All throw CheckpointError for a file and UsageError for a setting that does not fit, in one line.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sextant/classifiers/calibrated.h"
#include "sextant/classifiers/wrappers.h"
#include "sextant/models/models.h"

namespace sextant::models {

/// "config" (as config.json's "input" says), "raw" (as it is: EluCD), "half" ([0, 1]), "imagenet" or "clip" ([0, 1] by
/// the mean and deviation of ImageNet or of CLIP's images). `size` > 0 adds a resize. The filter is config.json's
/// input.resize, else bilinear.
classifiers::InputConvention input_convention(const std::string& name, const nlohmann::json& config, int64_t size = 0);
std::vector<std::string> input_convention_names();

/// Texts as classes.
struct Prompts {
  std::vector<std::string> targets;   ///< classes 0, 1, ...: what labels name
  std::vector<std::string> contrast;  ///< the classes after them
  std::filesystem::path vocabulary;   ///< "" is looked for, see find_clip_vocabulary()
  bool strict = false;                ///< UsageError for a prompt that is too long, which is else cut
};

/// CLIP's vocabulary: `given` where it is not empty, else models/clip/bpe_simple_vocab_16e6.txt.gz below the current
/// folder, below a folder that holds the running program, or below its share/sextant. UsageError that names the setting
/// where there is none.
std::filesystem::path find_clip_vocabulary(const std::filesystem::path& given);

struct ClassifierOptions {
  std::string input = "config";
  int64_t input_size = 0;
  std::string resize = "config";                 ///< "config" (as the input convention says) or one of resize_names()
  double softplus_beta = 0;                      ///< > 0 smooths every ReLU
  int64_t channels = 0;                          ///< of the images; > 0 checks that the classifier takes them
  int64_t image_size = 0;                        ///< of the images, if known: what a TorchScript network is tried with
  classifiers::Cutouts cutouts;                  ///< count and min_share; the rest follows from the network
  Prompts prompts;                               ///< of a CLIP network, which needs them, and of no other
  std::function<void(const std::string&)> warn;  ///< hears one line for each prompt that was cut
};

/// The classifier of the diffusion model's pixels that a network is behind its input convention. Follows later changes
/// of the network's weights.
guidance::Classifier as_classifier(std::shared_ptr<const networks::ClassifierNetwork> network,
                                   const classifiers::InputConvention& convention);

/// A classifier of the diffusion model's pixels, noise-aware or not.
guidance::Classifier open_classifier(const std::filesystem::path& path, const std::string& arch,
                                     const ClassifierOptions& options, Placement placement);

/// A model folder of the classifier that open_classifier(path, arch, options) opens, with its logits rescaled once
/// more: config.json, which keeps the options too, and the weights. `classes` is its number of classes; `remarks` go to
/// "calibration" beside the numbers. UsageError when `folder` holds the classifier itself.
void save_calibrated(const std::filesystem::path& folder, const std::filesystem::path& path, const std::string& arch,
                     const ClassifierOptions& options, int64_t classes, const classifiers::Rescaling& rescaling,
                     const nlohmann::json& remarks);

}  // namespace sextant::models
