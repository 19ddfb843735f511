// The fixed little denoiser and classifier of the reference vectors: formulas whose weights are the file's inputs.
#pragma once

#include "sextant/diffusion/denoiser.h"
#include "sextant/guidance/guide.h"
#include "support/golden.h"
#include "support/schedule.h"

namespace sextant::testing {

/// The two runs of a reference: untouched in float32, and with its float32 casts replaced by float64 ones.
struct Precision {
  const char* name;
  at::ScalarType type;
};
inline constexpr Precision kPrecisions[] = {{"f64", at::kDouble}, {"f32", at::kFloat}};

/// A golden input in the dtype of the run.
inline Tensor input(const Golden& golden, const std::string& name, at::ScalarType type) {
  return golden["input/" + name].to(type);
}

inline diffusion::MeanType mean_type(const nlohmann::json& config) {
  const auto name = config.value("mean", "EPSILON");
  if (name == "START_X") return diffusion::MeanType::kStartX;
  return name == "PREVIOUS_X" ? diffusion::MeanType::kPreviousX : diffusion::MeanType::kEpsilon;
}

inline diffusion::VarianceType variance_type(const nlohmann::json& config) {
  const auto name = config.value("var", "LEARNED_RANGE");
  if (name == "FIXED_SMALL") return diffusion::VarianceType::kFixedSmall;
  if (name == "FIXED_LARGE") return diffusion::VarianceType::kFixedLarge;
  return name == "LEARNED" ? diffusion::VarianceType::kLearned : diffusion::VarianceType::kLearnedRange;
}

/// The process that a golden file's config describes.
inline diffusion::ProcessConfig process_config(const nlohmann::json& config) {
  diffusion::ProcessConfig process;
  process.schedule = beta_schedule(config.at("schedule"));
  process.steps = config.at("T");
  process.respacing = config.value("respacing", "");
  process.mean = mean_type(config);
  process.variance = variance_type(config);
  process.rescale_timesteps = config.value("rescale_timesteps", false);
  process.clip = config.value("clip", true);
  return process;
}

/// The three weights that both denoisers share: 1.5 tanh(W x + P c_b + E[y]), c one number per image.
struct TinyWeights {
  TinyWeights(const Golden& golden, at::ScalarType type)
      : W(input(golden, "model_W", type)), P(input(golden, "model_P", type)), E(input(golden, "model_E", type)) {}
  Tensor operator()(const Tensor& x, const Tensor& c, const Tensor& y) const {
    const Tensor mixed = at::einsum("oc,bchw->bohw", {W, x});
    return 1.5 * at::tanh(mixed + P * c.view({-1, 1, 1, 1}) + E.index_select(0, y).view({x.size(0), -1, 1, 1}));
  }
  Tensor W, P, E;
};

inline diffusion::Model tiny_model(const Golden& golden, at::ScalarType type) {
  return [weights = TinyWeights(golden, type), type](const Tensor& x, const Tensor& t, const Tensor& y) {
    return weights(x, (t.to(type) / 100).cos(), y);
  };
}

/// Preconditioned as EDM with sigma_data 0.5; sigma [N].
inline diffusion::Model tiny_sigma_model(const Golden& golden, at::ScalarType type) {
  return [weights = TinyWeights(golden, type)](const Tensor& x, const Tensor& sigma, const Tensor& y) {
    const Tensor s = sigma.view({-1, 1, 1, 1});
    const Tensor total = s.square() + 0.25;
    return 0.25 / total * x + 0.5 * s / total.sqrt() * weights(x / total.sqrt(), sigma.log() / 4, y);
  };
}

inline guidance::Classifier tiny_classifier(const Golden& golden, at::ScalarType type, bool uses_time) {
  const Tensor A = input(golden, "cls_A", type), a = input(golden, "cls_a", type);
  const Tensor B = input(golden, "cls_B", type), b = input(golden, "cls_b", type);
  return {[=](const Tensor& x, const Tensor& t) {
            Tensor hidden = at::matmul(x.flatten(1), A.t());
            if (uses_time) hidden = hidden + (t.to(A.scalar_type()) / 100).cos().unsqueeze(1) * a;
            return at::matmul(hidden.tanh(), B.t()) + b;
          },
          B.size(0), uses_time};
}

}  // namespace sextant::testing
