// A network becomes a guide's classifier, and what may stand around it.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "sextant/guidance/classifier.h"
#include "sextant/networks/network.h"
#include "sextant/runtime/range.h"
#include "sextant/runtime/tensor.h"

namespace sextant {
class Stopwatch;  // progress.h
}

namespace sextant::classifiers {

// What a classifier is given of the diffusion model's pixels x in [-1, 1]: their size and their range.

enum class Resize {
  kBilinear,  ///< triangle filter, as wide as the shrinkage: antialiased
  kBicubic,   ///< Keys' cubic with a = -1/2, antialiased likewise: PIL's, which CLIP was trained on
  kArea,      ///< mean of the pixels touched, in part or whole: F.interpolate(mode="area")
};

/// Each filter with its word: "bilinear", "bicubic", "area".
const std::vector<std::pair<std::string, Resize>>& resize_words();
/// UsageError for another word.
Resize parse_resize(const std::string& word);

/// x [N, C, H, W] resampled to [N, C, height, width], differentiable; x itself where it has that size.
Tensor resized(const Tensor& x, int64_t height, int64_t width, Resize how);

struct InputConvention {
  double low = -1;  ///< range of the pixels that the classifier knows
  double high = 1;
  std::vector<double> mean;  ///< per channel in that range, subtracted; empty for none
  std::vector<double> std;   ///< divides; as many as mean
  int64_t size = 0;          ///< resized to size x size; 0 is the network's own size if it has one
  Resize resize = Resize::kBilinear;
};

/// The classifier of images that are resized to size x size for it. UsageError for a size below 1.
guidance::Classifier sized(guidance::Classifier classifier, int64_t size, Resize how);

/// The classifier of ((x + 1)/2 (high - low) + low - mean) / std. The size is not looked at. UsageError unless low <
/// high, mean and std are as many and std is above 0; ShapeError at the first image that has another number of channels
/// than mean.
guidance::Classifier normalised(guidance::Classifier classifier, const InputConvention& convention);

// Classifiers made of classifiers: each function wraps another and they compose.
//
//   ensemble({cut_out(normalised(of_network(network), convention), cutouts), ...})
//
// All are differentiable in x, stateless and safe to share between threads.

/// A network that is given its own input already. Follows later changes of its weights.
guidance::Classifier of_network(std::shared_ptr<const networks::ClassifierNetwork> network);

/// CLIP as a classifier whose classes are texts: exp(logit_scale) cos(image, text_k). x is normalised and sized for
/// CLIP already. `tokens` [K, L] int64, as text::ClipTokenizer makes them. The texts are read once, here.
guidance::Classifier prompted(std::shared_ptr<const networks::Clip> clip, const Tensor& tokens);

struct Cutouts {
  int64_t count = 0;  ///< views of each image; 0 is the image itself
  static constexpr Range kCount{0, 1024};
  double min_share = 0.3;  ///< smallest side of a view as a share of the image's shorter side
  static constexpr Range kMinShare{0, 1, true};
  int64_t size = 0;  ///< views are resized to size x size; 0 is the image's shorter side
  Resize resize = Resize::kBilinear;
};

/// Mean of the logits of `count` random square views of each image (augment and average). Side in [min_share, 1] and
/// place are uniform and depend on (seed, sample, copy, t) alone, so that an image does not depend on its batch.
/// UsageError unless there is a view, of a share of the image; ShapeError for rows that are no multiple of the samples.
guidance::Classifier cut_out(guidance::Classifier classifier, const Cutouts& cutouts);

/// Mean of the members' log-probabilities: the normalised geometric mean of their probabilities. UsageError unless
/// there is a member, all have as many classes, and all or none read the time.
guidance::Classifier ensemble(std::vector<guidance::Classifier> members);

/// The classifier of latents z whose images decode(z) `classifier` reads; `decode` is differentiable.
guidance::Classifier latent(guidance::Classifier classifier, std::function<Tensor(const Tensor& z)> decode);

/// `watch` is given the time of each forward pass and of each backward pass.
guidance::Classifier timed(guidance::Classifier classifier, std::shared_ptr<Stopwatch> watch);

// Which attributes are asked for.

/// The classifier whose logits [N, K] are positive where an attribute is as asked: those of `classifier` times
/// answers, [R, K] of 1 (yes), -1 (no) and 0 (of no concern, whose logit is 0). Image i asks for row i, in turn where
/// there are fewer; without ids the rows of the batch are counted. ShapeError for answers of another form.
guidance::Classifier asked(guidance::Classifier classifier, const Tensor& answers);

// Classifiers whose logits are rescaled after training: what temperature and vector scaling find, kept in config.json.
//
//   "calibration": {"temperature": T}                    f -> f / T
//   "calibration": {"scale": [...], "shift": [...]}      f_k -> scale_k f_k + shift_k

/// A rescaling of logits [N, K]; the default changes nothing.
struct Rescaling {
  double temperature = 1;     ///< > 0; of no effect beside a scale
  std::vector<double> scale;  ///< [K], or empty: 1/temperature
  std::vector<double> shift;  ///< [K], or empty: 0

  bool changes_nothing() const { return temperature == 1 && scale.empty() && shift.empty(); }
  /// In the dtype and on the device of f.
  Tensor operator()(const Tensor& f) const;
};

/// `first`, then `second`, as one. UsageError for two of different numbers of classes.
Rescaling compose(const Rescaling& first, const Rescaling& second);

/// What config.json's "calibration" says of a classifier of `classes` classes; without one, the default.
/// CheckpointError.
Rescaling rescaling_of(const nlohmann::json& config, int64_t classes);
nlohmann::json to_json(const Rescaling& rescaling);

/// `classifier` with its logits rescaled; itself where nothing changes. UsageError for a scale or a shift of another
/// number of classes, or a temperature that is not above 0.
guidance::Classifier calibrated(guidance::Classifier classifier, const Rescaling& rescaling);

}  // namespace sextant::classifiers
