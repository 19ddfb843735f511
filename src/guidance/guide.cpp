#include "sextant/guidance/guide.h"

#include <ATen/core/grad_mode.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>

#include "check.h"
#include "internal/runtime/finite.h"
#include "sextant/runtime/error.h"

namespace sextant::guidance {
namespace {

void check_input(const GuideInput& in, Input where) {
  const Tensor& x = where == Input::kX0 ? in.x0 : in.x;
  if (!x.defined() || x.dim() < 2) {
    throw ShapeError(c10::str("guide: expected ", where == Input::kX0 ? "x0" : "x_t", " [N, C, H, W], got ",
                              x.defined() ? c10::str(x.sizes()) : "nothing", "."));
  }
  if (!in.y.defined() || in.y.dim() != 1 || in.y.size(0) != x.size(0)) {
    throw ShapeError(c10::str("guide: expected one target class per sample [", x.size(0), "], got ",
                              in.y.defined() ? c10::str(in.y.sizes()) : "nothing", "."));
  }
  if (where == Input::kThroughDenoiser && !in.predict_x0) {
    throw UsageError(
        "guide: to go through the denoiser it needs predict_x0, which this sampler does not give;"
        " take the gradient at x0 instead.");
  }
}

/// NumericError, naming the step and the first sample, unless every number of `values` is finite.
void check_finite(const char* what, const Tensor& values, const Tensor& seen, const GuideInput& in,
                  const char* advice) {
  FiniteWatch at_once(FiniteWatch::Reading::kAtOnce);
  FiniteWatch& watch = in.watch ? *in.watch : at_once;
  watch.look(values, [what, values, seen, step = in.step, num_steps = in.num_steps, advice] {
    const Tensor bad = at::isfinite(values).logical_not().flatten(1);
    const bool given = at::isfinite(seen).all().item<bool>();
    throw NumericError(
        c10::str("guide: at step ", step, " of ", num_steps, " the ", what, " not finite (", bad.sum().item<int64_t>(),
                 " of ", values.numel(), " values, first in sample ", bad.any(1).to(at::kLong).argmax().item<int64_t>(),
                 " of the batch). ",
                 given ? advice
                       : "The classifier's input was not finite already: lower the scale, or compute the denoiser in "
                         "fp32."));
  });
}

/// Consecutive samples share one tilt, `group` at a time. Without tilt all weigh 1 in either form: 1/N, which is what
/// the printed one comes to, would let the batch size scale the gradient.
Tensor tilt_in_groups(const Tensor& scores, const GuideConfig& config) {
  if (config.tilt == 0) return at::ones_like(scores);
  if (config.tilt_group == 0 || config.tilt_group >= scores.size(0)) {
    return tilt_weights(scores, config.tilt, config.tilt_form);
  }
  std::vector<Tensor> weights;
  for (const Tensor& group : scores.split(config.tilt_group)) {
    weights.push_back(tilt_weights(group, config.tilt, config.tilt_form));
  }
  return at::cat(weights);
}

/// The classifier's input, a leaf of the graph, and its logits.
struct Forward {
  Tensor leaf;
  Tensor logits;
};

Forward classify(const Classifier& classifier, Input where, const GuideInput& in) {
  const Tensor leaf = (where == Input::kX0 ? in.x0 : in.x).detach().requires_grad_(true);
  const Tensor seen = where == Input::kThroughDenoiser ? in.predict_x0(leaf) : leaf;
  return {leaf, classifier.logits(seen, in.t, in.ids)};
}

/// S and dS/df of the step. What a function of the caller's own gives is checked.
Score climb(const ScoreFunction& score, const Tensor& f, const GuideInput& in) {
  const Score climbed = score(f, in.y, {in.step, in.num_steps, in.alpha_cumprod});
  const Tensor &S = climbed.value, &gradient = climbed.gradient;
  if (!S.defined() || !gradient.defined() || S.sizes() != f.sizes().slice(0, 1) || gradient.sizes() != f.sizes()) {
    throw ShapeError(c10::str("guide: expected a score [", f.size(0), "] with a gradient ", f.sizes(), ", got ",
                              S.defined() ? c10::str(S.sizes()) : "nothing", " and ",
                              gradient.defined() ? c10::str(gradient.sizes()) : "nothing", "."));
  }
  return {S.detach(), gradient.detach()};
}

Tensor vector_jacobian(const Forward& forward, const Tensor& gradient) {
  const char* cause =
      "guide: the logits do not depend on the classifier's input in a way that autograd can follow;"
      " load the classifier without no_grad, detach or integer steps.";
  if (!forward.logits.requires_grad()) throw Error(cause);
  const Tensor g = torch::autograd::grad({forward.logits}, {forward.leaf}, {gradient}, /*retain_graph=*/false,
                                         /*create_graph=*/false, /*allow_unused=*/true)[0];
  if (!g.defined()) throw Error(cause);
  return g;
}

}  // namespace

Guide::Guide(Classifier classifier, ScoreFunction score, GuideConfig config)
    : classifier_(std::move(classifier)), score_(std::move(score)), config_(config) {
  if (!classifier_) throw UsageError("guide: expected a classifier, got none.");
  if (!score_) throw UsageError("guide: expected a score to climb, got none.");
  check_config(config_);
}

Guidance Guide::evaluate_at(Input where, const GuideInput& in, double scale) const {
  if (c10::InferenceMode::is_enabled()) {
    throw UsageError(
        "guide: inference mode records nothing to differentiate; draw outside of c10::InferenceMode"
        " (torch.inference_mode), at::NoGradGuard (torch.no_grad) does no harm.");
  }
  check_input(in, where);
  const at::AutoGradMode with_grad(true);
  const Forward forward = classify(classifier_, where, in);
  const Tensor f = forward.logits.detach();
  check_logits_and_labels("guide", f, in.y);
  if (classifier_.classes != 0 && classifier_.classes != f.size(1)) {
    throw ShapeError(c10::str("guide: the classifier says that it has ", classifier_.classes,
                              " classes, and gives logits ", f.sizes()));
  }
  check_finite("classifier's logits are", f, forward.leaf, in,
               "'sextant inspect' shows whether its weights are finite; if so, compute it in fp32.");
  if (in.y.is_cuda() && !in.y.is_same(checked_labels_)) {
    check_label_range("guide", in.y, f.size(1));  // waits for the device, in the first step
    checked_labels_ = in.y;
  }

  const Score score = climb(score_, f, in);
  const Tensor weight = tilt_in_groups(score.value, config_);
  Tensor factor = scale * weight;
  if (config_.entropy_driven) factor = factor * entropy_driven_scale(f, config_.entropy_classes);
  const Tensor g = vector_jacobian(forward, factor.unsqueeze(1) * score.gradient);
  check_finite("guidance gradient is", g, forward.leaf, in,
               "Compute the classifier in fp32, smooth it (softplus-beta), or lower the scale.");
  return {g, score.value, weight, f};
}

Guidance Guide::operator()(const GuideInput& in) const { return evaluate_at(config_.input, in, config_.scale); }

Tensor Guide::backward(const GuideInput& in) const {
  if (config_.backward_steps == 0) return {};
  GuideInput moved = in;
  for (int64_t i = 0; i < config_.backward_steps; ++i) {
    moved.x0 = at::add(moved.x0, evaluate_at(Input::kX0, moved, 1).gradient, config_.backward_lr);
  }
  return moved.x0 - in.x0;
}

}  // namespace sextant::guidance
