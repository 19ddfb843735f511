#include <ATen/core/grad_mode.h>

#include "sextant/classifiers/wrappers.h"
#include "sextant/runtime/error.h"
#include "sextant/runtime/progress.h"

namespace sextant::classifiers {

guidance::Classifier timed(guidance::Classifier classifier, std::shared_ptr<Stopwatch> watch) {
  if (!watch) throw UsageError("classifier: expected a stopwatch, got none");
  const auto logits = [logits = classifier.logits, watch = std::move(watch)](const Tensor& x, const Tensor& t,
                                                                             const SampleIds& ids) {
    const auto start = Stopwatch::now(x.device());
    // The backward pass lasts from the gradient of the logits to that of the input.
    Tensor input = x;
    const auto backward_start = std::make_shared<std::shared_ptr<Stopwatch::Moment>>();
    if (at::GradMode::is_enabled() && x.requires_grad()) {
      input = x.view_as(x);
      input.register_hook([watch, backward_start](const Tensor& gradient) {
        watch->add(*backward_start, Stopwatch::now(gradient.device()));
      });
    }
    const Tensor f = logits(input, t, ids);
    if (f.requires_grad()) {
      f.register_hook(
          [backward_start](const Tensor& gradient) { *backward_start = Stopwatch::now(gradient.device()); });
    }
    watch->add(start, Stopwatch::now(x.device()));
    return f;
  };
  return {logits, classifier.classes, classifier.uses_time};
}

}  // namespace sextant::classifiers
