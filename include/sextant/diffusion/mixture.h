// A Gaussian mixture: a denoiser and a classifier, both exact. It needs no weights, and the papers' theorems can be
// checked on it.
//
//   f(x) = sum_k b_k N(x; mu_k, Sigma_k)                                             Prop. 3
//   q(x_t) = sum_k b_k N(x_t; sqrt(abar) mu_k, abar Sigma_k + (1 - abar) I)          the same mixture, noised
//
//   K components are the classes 0 .. K-1, d dimensions; points are [N, d], as images [N, d, 1, 1]
//
// Points have the mixture's dtype (float32 or float64) and device, else ShapeError; results keep them. Everything is in
// log space and finite far from all components, where every density underflows; immutable, differentiable in the
// points and callable from any thread.
#pragma once

#include <utility>
#include <vector>

#include "sextant/diffusion/denoiser.h"
#include "sextant/guidance/classifier.h"
#include "sextant/runtime/tensor.h"

namespace sextant::diffusion {

class Mixture {
 public:
  /// weights b [K] positive with sum 1, means mu [K, d], covariances Sigma [K, d, d] symmetric and positive definite.
  /// ShapeError, or UsageError for values that are not such.
  Mixture(const Tensor& weights, const Tensor& means, const Tensor& covariances);

  int64_t num_components() const { return means_.size(0); }
  int64_t dimension() const { return means_.size(1); }
  at::TensorOptions options() const { return means_.options(); }
  /// The same on another device.
  Mixture to(at::Device device) const {
    return {log_weights_.to(device), means_.to(device), axes_.to(device), variances_.to(device)};
  }

  const Tensor& means() const { return means_; }  ///< mu [K, d]

  /// The mixture of x_t; alpha_cumprod in [0, 1].
  Mixture noised(double alpha_cumprod) const;

  /// l_k(x) = log b_k + log N(x; mu_k, Sigma_k): [N, K], the classifier's logits
  Tensor log_joint(const Tensor& x) const;
  /// log f(x): [N]
  Tensor log_density(const Tensor& x) const;
  /// w_k(x) = p(k|x): [N, K]
  Tensor posterior(const Tensor& x) const;
  /// grad l_k(x) = Sigma_k^-1 (mu_k - x): [N, K, d]
  Tensor component_scores(const Tensor& x) const;
  /// grad log f(x): [N, d]
  Tensor score(const Tensor& x) const;
  /// grad log p(y|x), y [N] int64: [N, d]
  Tensor class_score(const Tensor& x, const Tensor& y) const;

  /// E[x_0 | x_t]: [N, d]
  Tensor denoise(const Tensor& x_t, double alpha_cumprod) const;
  /// E[x_0 | x_t, y]: only component y[n] for sample n; the label K is the null class, which leaves all of them.
  Tensor denoise(const Tensor& x_t, double alpha_cumprod, const Tensor& y) const;
  /// E[noise | x_t] = -sqrt(1 - abar) grad log q(x_t): [N, d]
  Tensor epsilon(const Tensor& x_t, double alpha_cumprod) const;

  /// Draws: standard normals [N, d] carried to the components y [N].
  Tensor draw(const Tensor& y, const Tensor& normal) const;

 private:
  Mixture(Tensor log_weights, Tensor means, Tensor axes, Tensor variances)
      : log_weights_(std::move(log_weights)),
        means_(std::move(means)),
        axes_(std::move(axes)),
        variances_(std::move(variances)) {}

  void check_points(const char* caller, const Tensor& x) const;
  Tensor along_axes(const Tensor& x) const;
  Tensor denoise_components(const Tensor& x_t, double alpha_cumprod) const;

  // Sigma_k = U_k diag(v_k) U_k^T: noise changes only v_k, so no noise level needs another factorisation.
  Tensor log_weights_;  ///< [K]
  Tensor means_;        ///< [K, d]
  Tensor axes_;         ///< U [K, d, d], an axis per column
  Tensor variances_;    ///< v [K, d]
};

/// E[x_0 | x_t] as a denoiser of images [N, d, 1, 1] in any dtype, computed in the mixture's. Labels are ignored unless
/// `conditional`; then they choose the component, and K, or no labels at all, none. It counts the process's timesteps
/// (UsageError for a process with a learned variance), or without one noise levels.
Denoiser mixture_denoiser(Mixture mixture, const Process& process, bool conditional = false);
Denoiser mixture_denoiser(Mixture mixture, bool conditional = false);

/// p(k|x) as a classifier of images [N, d, 1, 1], logits l_k in the mixture's dtype: of clean x_0; made with a process,
/// of x_t at that process's timesteps t (UsageError for others); made with a range of noise levels, of x_0 + t n, t at
/// least 0. Each image has its own t.
guidance::Classifier mixture_classifier(Mixture mixture);
guidance::Classifier mixture_classifier(Mixture mixture, const Process& process);
guidance::Classifier mixture_classifier(Mixture mixture, const SigmaRange& range);

}  // namespace sextant::diffusion
