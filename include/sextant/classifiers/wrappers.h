// Classifiers made of classifiers: each function wraps another and they compose.
//
//   ensemble({cut_out(normalised(of_network(network), convention), cutouts), ...})
//
// All are differentiable in x, stateless and safe to share between threads.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "sextant/classifiers/input.h"
#include "sextant/networks/classifier.h"
#include "sextant/networks/clip.h"
#include "sextant/runtime/range.h"

namespace sextant::classifiers {

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

/// `took` hears the seconds of each forward pass and of each backward pass, with the device's work done.
guidance::Classifier timed(guidance::Classifier classifier, std::function<void(double seconds)> took);

}  // namespace sextant::classifiers
