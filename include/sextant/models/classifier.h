// Opens trained classifiers, behind what they see of a diffusion model's pixels.
//
// All throw CheckpointError for a file and UsageError for a setting that does not fit, in one line.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sextant/classifiers/wrappers.h"
#include "sextant/models/models.h"
#include "sextant/runtime/device.h"
#include "sextant/runtime/range.h"

namespace sextant::models {

/// What a classifier is given of the diffusion model's pixels x in [-1, 1].
enum class ClassifierInput {
  kConfig,    ///< as config.json's "input" says
  kRaw,       ///< x as it is, as EluCD does
  kHalf,      ///< [0, 1]
  kImageNet,  ///< [0, 1] by the mean and deviation of ImageNet
  kClip,      ///< [0, 1] by the mean and deviation of CLIP's images
};

/// Each with its word: "config", "raw", "half", "imagenet", "clip".
const std::vector<std::pair<std::string, ClassifierInput>>& classifier_input_words();

/// The filter is config.json's input.resize, else bilinear, for CLIP bicubic. `size` > 0 resizes to size x size.
classifiers::InputConvention input_convention(ClassifierInput input, const nlohmann::json& config, int64_t size = 0);

/// config.json with "input" of a convention that was chosen by hand; as it is where nothing was chosen.
nlohmann::json with_input(nlohmann::json config, ClassifierInput input, int64_t size = 0,
                          std::optional<classifiers::Resize> resize = {});

/// Texts as classes.
struct Prompts {
  std::vector<std::string> targets = {};   ///< classes 0, 1, ...: what labels name
  std::vector<std::string> contrast = {};  ///< the classes after them
  bool strict = false;                     ///< UsageError for a text of more tokens than CLIP reads, which is else cut
  std::string vocabulary = {};             ///< "" is looked for, see find_clip_vocabulary()
};

/// CLIP's vocabulary: `given` where it is not empty, else models/clip/bpe_simple_vocab_16e6.txt.gz below the current
/// folder, below a folder that holds the running program, or below its share/sextant. UsageError that names the setting
/// where there is none.
std::filesystem::path find_clip_vocabulary(const std::filesystem::path& given);

/// A classifier and what it sees.
struct ClassifierConfig {
  std::string path = {};     ///< folder or checkpoint file; several with commas between are averaged, see ensemble()
  std::string arch = {};     ///< of a checkpoint file; one for all of them, or one each with commas between
  std::string weights = {};  ///< group of a checkpoint file, see WeightsChoice; likewise
  std::string prefix = {};   ///< of its names; likewise
  ClassifierInput input = ClassifierInput::kConfig;
  int64_t size = 0;  ///< images are resized to size x size for it; 0 leaves them
  static constexpr Range kSize{0, 4096};
  std::optional<classifiers::Resize> resize = {};  ///< none: as the input convention says
  std::optional<Precision> precision = {};         ///< none: as its placement says
  double softplus_beta = 0;                        ///< every ReLU becomes softplus(beta x)/beta; 0 keeps ReLU
  static constexpr Range kSoftplusBeta{0, 1000};
  Prompts prompts = {};               ///< of a CLIP network, which needs them, and of no other
  bool noisy = false;                 ///< of a mixture, the classifier of x_t
  classifiers::Cutouts cutouts = {};  ///< count and min_share; the rest follows from the network
};

/// The images that a classifier is to read; 0 is unknown.
struct ImageSize {
  int64_t channels = 0;
  int64_t side = 0;
};

/// The classifiers that `config` names, one by one. A path that is there whole is one, whatever commas it has.
std::vector<ClassifierConfig> members_of(const ClassifierConfig& config);

/// describe() of one of them.
Description description_of(const ClassifierConfig& member);

/// A classifier of the diffusion model's pixels, noise-aware or not. `images` have channels that it takes, or
/// UsageError; a TorchScript network that says nothing of its input is tried with such. `warn` hears one line for each
/// prompt that was cut.
guidance::Classifier open_classifier(const ClassifierConfig& config, Placement placement, ImageSize images = {},
                                     const std::function<void(const std::string&)>& warn = {});

/// The classifier of the diffusion model's pixels that a network is behind its input convention. Follows later changes
/// of the network's weights.
guidance::Classifier as_classifier(std::shared_ptr<const networks::ClassifierNetwork> network,
                                   const classifiers::InputConvention& convention);

/// A model folder of the classifier that `config` opens, with its logits rescaled once more: config.json, which keeps
/// input, size, resize and softplus_beta too, and the weights. `classes` is its number of classes; `remarks` go to
/// "calibration" beside the numbers. UsageError when `folder` holds the classifier itself, or `config` names several.
void save_calibrated(const std::filesystem::path& folder, const ClassifierConfig& config, int64_t classes,
                     const classifiers::Rescaling& rescaling, const nlohmann::json& remarks);

}  // namespace sextant::models
