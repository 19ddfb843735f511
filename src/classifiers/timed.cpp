#include <ATen/core/grad_mode.h>

#include "sextant/classifiers/wrappers.h"
#include "sextant/runtime/device.h"
#include "sextant/runtime/progress.h"

namespace sextant::classifiers {
namespace {

/// Now, with the work on `like`'s device done.
double moment_of(const Tensor& like) {
  synchronize(like.device());
  return steady_seconds();
}

}  // namespace

guidance::Classifier timed(guidance::Classifier classifier, std::function<void(double seconds)> took) {
  const auto logits = [logits = classifier.logits, took = std::move(took)](const Tensor& x, const Tensor& t,
                                                                           const SampleIds& ids) {
    const double start = moment_of(x);
    // The backward pass lasts from the gradient of the logits to that of the input.
    Tensor input = x;
    const auto backward_start = std::make_shared<double>(0);
    if (at::GradMode::is_enabled() && x.requires_grad()) {
      input = x.view_as(x);
      input.register_hook(
          [took, backward_start](const Tensor& gradient) { took(moment_of(gradient) - *backward_start); });
    }
    const Tensor f = logits(input, t, ids);
    if (f.requires_grad()) {
      f.register_hook([backward_start](const Tensor& gradient) { *backward_start = moment_of(gradient); });
    }
    took(moment_of(x) - start);
    return f;
  };
  return {logits, classifier.classes, classifier.uses_time};
}

}  // namespace sextant::classifiers
