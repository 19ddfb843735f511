#include "sextant/diffusion/mixture.h"

#include <cmath>
#include <numbers>

#include "internal/runtime/labels.h"
#include "sextant/runtime/error.h"

namespace sextant::diffusion {
namespace {

void check_parameters(const Tensor& weights, const Tensor& means, const Tensor& covariances) {
  const int64_t K = weights.dim() == 1 ? weights.size(0) : 0;
  const int64_t d = means.dim() == 2 ? means.size(1) : 0;
  if (K < 1 || d < 1 || means.sizes() != at::IntArrayRef({K, d}) || covariances.sizes() != at::IntArrayRef({K, d, d})) {
    throw ShapeError(c10::str("mixture: expected weights [K], means [K, d] and covariances [K, d, d], got ",
                              weights.sizes(), ", ", means.sizes(), " and ", covariances.sizes()));
  }
  for (const Tensor& tensor : {weights, means, covariances}) {
    if (tensor.scalar_type() != means.scalar_type() ||
        (tensor.scalar_type() != at::kFloat && tensor.scalar_type() != at::kDouble)) {
      throw ShapeError("mixture: expected weights, means and covariances all in float32 or all in float64");
    }
    if (!tensor.isfinite().all().item<bool>())
      throw UsageError("mixture: expected finite parameters, got NaN or infinity");
  }
  const double total = weights.sum().item<double>();
  if (weights.min().item<double>() <= 0 || std::abs(total - 1) > 1e-5) {
    throw UsageError(c10::str("mixture: expected positive weights with sum 1, got sum ", total, " and smallest ",
                              weights.min().item<double>(),
                              "; divide them by their sum and leave out components of weight 0"));
  }
  const Tensor asymmetry = (covariances - covariances.transpose(1, 2)).abs().amax();
  if (asymmetry.item<double>() > 1e-5 * covariances.abs().amax().item<double>()) {
    throw UsageError("mixture: expected symmetric covariances");
  }
}

void check_level(double alpha_cumprod) {
  if (!(alpha_cumprod >= 0 && alpha_cumprod <= 1)) {
    throw UsageError(c10::str("mixture: expected alpha_cumprod in [0, 1], got ", alpha_cumprod));
  }
}

void check_labels(const char* caller, const Tensor& y, int64_t n, int64_t classes) {
  if (!y.defined() || y.dim() != 1 || y.size(0) != n || y.scalar_type() != at::kLong) {
    throw ShapeError(c10::str("mixture ", caller, ": expected int64 labels [", n, "], got ",
                              y.defined() ? c10::str(y.scalar_type(), " ", y.sizes()) : "none"));
  }
  if (const auto wrong = wrong_label(y, classes)) {
    throw ShapeError(c10::str("mixture ", caller, ": label ", wrong->label, " of sample ", wrong->place,
                              " is not one of 0 to ", classes - 1));
  }
}

/// sum_k w_k a_k of w [N, K] and a [K, N, d]: [N, d]
Tensor mean_over_components(const Tensor& w, const Tensor& a) { return (w.t().unsqueeze(2) * a).sum(0); }

}  // namespace

Mixture::Mixture(const Tensor& weights, const Tensor& means, const Tensor& covariances) {
  check_parameters(weights, means, covariances);
  log_weights_ = weights.log();
  means_ = means;
  std::tie(variances_, axes_) = at::linalg_eigh(covariances);
  const double smallest = variances_.min().item<double>();
  if (smallest <= 0) {
    throw UsageError(c10::str("mixture: expected positive definite covariances, got one with eigenvalue ", smallest,
                              "; add a little to its diagonal"));
  }
}

Mixture Mixture::noised(double alpha_cumprod) const {
  check_level(alpha_cumprod);
  return {log_weights_, std::sqrt(alpha_cumprod) * means_, axes_, alpha_cumprod * variances_ + (1 - alpha_cumprod)};
}

void Mixture::check_points(const char* caller, const Tensor& x) const {
  if (x.dim() != 2 || x.size(1) != dimension()) {
    throw ShapeError(c10::str("mixture ", caller, ": expected points [N, ", dimension(), "], got ", x.sizes()));
  }
  if (x.scalar_type() != means_.scalar_type() || x.device() != means_.device()) {
    throw ShapeError(c10::str("mixture ", caller, ": expected points in ", means_.scalar_type(), " on ",
                              means_.device(), ", as the mixture is, got ", x.scalar_type(), " on ", x.device()));
  }
}

/// U_k^T (x - mu_k): [K, N, d]
Tensor Mixture::along_axes(const Tensor& x) const { return at::matmul(x.unsqueeze(0) - means_.unsqueeze(1), axes_); }

Tensor Mixture::log_joint(const Tensor& x) const {
  check_points("log_joint", x);
  const Tensor distance = (along_axes(x).square() / variances_.unsqueeze(1)).sum(2);  // Mahalanobis, squared [K, N]
  const Tensor log_determinant = variances_.log().sum(1);
  const double log_two_pi = std::log(2 * std::numbers::pi) * static_cast<double>(dimension());
  const Tensor constant = log_weights_ - 0.5 * (log_determinant + log_two_pi);
  return (constant.unsqueeze(1) - 0.5 * distance).t();
}

Tensor Mixture::log_density(const Tensor& x) const { return at::logsumexp(log_joint(x), 1); }

Tensor Mixture::posterior(const Tensor& x) const { return at::softmax(log_joint(x), 1); }

Tensor Mixture::component_scores(const Tensor& x) const {
  check_points("component_scores", x);
  const Tensor whitened = along_axes(x) / variances_.unsqueeze(1);
  return -at::matmul(whitened, axes_.transpose(1, 2)).transpose(0, 1);
}

Tensor Mixture::score(const Tensor& x) const {
  return mean_over_components(posterior(x), component_scores(x).transpose(0, 1));
}

Tensor Mixture::class_score(const Tensor& x, const Tensor& y) const {
  check_labels("class_score", y, x.size(0), num_components());
  // grad (l_y - log f)
  const Tensor of_y = at::one_hot(y, num_components()).to(x.scalar_type()) - posterior(x);
  return mean_over_components(of_y, component_scores(x).transpose(0, 1));
}

/// E[x_0 | x_t, k] = mu_k + sqrt(abar) Sigma_k (abar Sigma_k + (1 - abar) I)^-1 (x_t - sqrt(abar) mu_k): [K, N, d].
/// Unlike Tweedie's (x_t + (1 - abar) score)/sqrt(abar) it keeps its digits as abar -> 0.
Tensor Mixture::denoise_components(const Tensor& x_t, double alpha_cumprod) const {
  const Mixture q = noised(alpha_cumprod);
  const Tensor gain = std::sqrt(alpha_cumprod) * variances_ / q.variances_;
  return means_.unsqueeze(1) + at::matmul(gain.unsqueeze(1) * q.along_axes(x_t), axes_.transpose(1, 2));
}

Tensor Mixture::denoise(const Tensor& x_t, double alpha_cumprod) const {
  const Tensor w = noised(alpha_cumprod).posterior(x_t);
  return mean_over_components(w, denoise_components(x_t, alpha_cumprod));
}

Tensor Mixture::denoise(const Tensor& x_t, double alpha_cumprod, const Tensor& y) const {
  const int64_t K = num_components();
  check_labels("denoise", y, x_t.size(0), K + 1);  // K: no component
  const Tensor of_any = noised(alpha_cumprod).posterior(x_t);
  const Tensor of_y = at::one_hot(y, K + 1).narrow(1, 0, K).to(x_t.scalar_type());
  const Tensor w = at::where((y == K).unsqueeze(1), of_any, of_y);
  return mean_over_components(w, denoise_components(x_t, alpha_cumprod));
}

Tensor Mixture::epsilon(const Tensor& x_t, double alpha_cumprod) const {
  return -std::sqrt(1 - alpha_cumprod) * noised(alpha_cumprod).score(x_t);
}

Tensor Mixture::draw(const Tensor& y, const Tensor& normal) const {
  check_points("draw", normal);
  check_labels("draw", y, normal.size(0), num_components());
  const Tensor stretched = variances_.sqrt().index_select(0, y) * normal;
  return means_.index_select(0, y) + at::matmul(axes_.index_select(0, y), stretched.unsqueeze(2)).squeeze(2);
}

}  // namespace sextant::diffusion
