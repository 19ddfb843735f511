#include <ATen/core/grad_mode.h>

#include "internal/networks/inference.h"
#include "sextant/classifiers/wrappers.h"
#include "sextant/runtime/error.h"

namespace sextant::classifiers {

/// exp(logit_scale) cos(image, text_k)
guidance::Classifier prompted(std::shared_ptr<const networks::Clip> clip, const Tensor& tokens) {
  if (!clip) throw UsageError("classifier: expected a CLIP to prompt, got none");
  const at::NoGradGuard no_grad;
  std::vector<Tensor> features;  // one by one: the text tower of a large CLIP takes memory with every row
  for (const Tensor& row : tokens.to(clip->device()).split(1)) features.push_back(clip->text_features(row));
  const networks::Inference logits(
      clip, [&clip = *clip, texts = at::cat(features)](const Tensor& x, const Tensor&, const Tensor&) {
        return clip.logits(clip.image_features(x), texts);
      });
  return {[logits](const Tensor& x) { return logits(x); }, tokens.size(0)};
}

}  // namespace sextant::classifiers
