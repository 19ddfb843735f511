// Classifiers made of classifiers: each function wraps another and they compose.
//
//   ensemble({cutouts(sized(normalised(network))), ...})
//
// All take x [N, C, H, W] in the diffusion model's pixel range and t [N], return logits [N, K] in float32 at least, and
// are differentiable in x, stateless and safe to share between threads.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sextant/guidance/guide.h"
#include "sextant/networks/clip.h"

namespace sextant::models {

using ClassifierPtr = std::shared_ptr<const guidance::Classifier>;

// ---- resizing --------------------------------------------------------------------------------------------

enum class Resize {
  kBilinear,  ///< triangle filter, as wide as the shrinkage: antialiased
  kBicubic,   ///< Keys' cubic with a = -1/2, antialiased likewise: PIL's, which CLIP was trained on
  kArea,      ///< mean of the pixels covered
};

std::vector<std::string> resize_names();
/// "bilinear", "bicubic" or "area"; UsageError for another word.
Resize parse_resize(const std::string& name);

/// x [N, C, H, W] resampled to [N, C, height, width], differentiable; x itself where it has that size.
Tensor resized(const Tensor& x, int64_t height, int64_t width, Resize how);

/// Every image resized to size x size.
ClassifierPtr sized(ClassifierPtr classifier, int64_t size, Resize how);

// ---- pixel range -----------------------------------------------------------------------------------------

/// What a classifier is given of the diffusion model's pixels x in [-1, 1].
struct InputConvention {
  double low = -1;  ///< range of the pixels it knows
  double high = 1;
  std::vector<double> mean;  ///< per channel in that range, subtracted; empty for none
  std::vector<double> std;   ///< divides
  int64_t size = 0;          ///< resized to size x size; 0 is the network's own size if it has one
  Resize resize = Resize::kBilinear;
};

/// ((x + 1)/2 (high - low) + low - mean) / std. The size is not looked at. ShapeError at the first image that has
/// another number of channels than mean.
ClassifierPtr normalised(ClassifierPtr classifier, const InputConvention& convention);

// ---- cut-outs --------------------------------------------------------------------------------------------

/// Which images the rows of a batch are: row r is sample samples[r % size] under `seed`, its copy r / size. Whoever
/// draws sets it before each batch; empty counts the rows themselves.
struct SampleStreams {
  uint64_t seed = 0;
  std::vector<int64_t> samples;
};

struct Cutouts {
  int64_t count = 0;       ///< views of each image; 0 is the image itself
  double min_share = 0.3;  ///< smallest side of a view as a share of the image's shorter side, in (0, 1]
  int64_t size = 0;        ///< views are resized to size x size; 0 is the image's shorter side
  Resize resize = Resize::kBilinear;
};

/// Mean of the logits of `count` random square views of each image (augment and average). Side in [min_share, 1] and
/// place are uniform and depend on (seed, sample, t) alone, so that an image does not depend on its batch.
ClassifierPtr cut_out(ClassifierPtr classifier, const Cutouts& cutouts, std::shared_ptr<const SampleStreams> streams);

// ---- ensembles -------------------------------------------------------------------------------------------

/// Mean of the members' log-probabilities: the normalised geometric mean of their probabilities. UsageError unless
/// there is a member, all have as many classes, and all or none read the time.
ClassifierPtr ensemble(std::vector<ClassifierPtr> members);

// ---- prompts ---------------------------------------------------------------------------------------------

/// CLIP as a classifier whose classes are texts: exp(logit_scale) cos(image, text_k). x is normalised and sized for
/// CLIP already. `tokens` [K, L] int64, as text::ClipTokenizer makes them. The texts are read once, here.
ClassifierPtr prompted(std::shared_ptr<const networks::Clip> clip, const Tensor& tokens);

/// CLIP's vocabulary: `given` where it is not empty, else models/clip/bpe_simple_vocab_16e6.txt.gz below the current
/// folder, below a folder that holds the running program, or below its share/sextant. UsageError that names the flag
/// where there is none.
std::filesystem::path find_clip_vocabulary(const std::filesystem::path& given);

}  // namespace sextant::models
