#include "internal/networks/scaled_gradient.h"

#include <ATen/core/grad_mode.h>

#include <memory>

namespace sextant::networks {
namespace {

/// 64 times below float16's largest number, for gradients that grow on their way.
constexpr double kLargest = 1024;

/// A power of two for each row of v, [N, 1, ...]; 1 for a row of zeros.
Tensor power_of_two(const Tensor& v) {
  std::vector<int64_t> per_row(static_cast<std::size_t>(v.dim()), 1);
  per_row[0] = v.size(0);
  const Tensor largest = v.detach().flatten(1).abs().amax(1).view(per_row);
  const Tensor mantissa = std::get<0>(at::frexp(largest));
  // A number by its own mantissa is exactly a power of two.
  return at::where(largest > 0, kLargest * (mantissa / largest), at::ones_like(largest));
}

}  // namespace

Tensor scaled_gradient(const Tensor& x, const std::function<Tensor(const Tensor& x)>& f) {
  const auto scale = std::make_shared<Tensor>();
  const Tensor inside = x.view_as(x);
  inside.register_hook([scale](const Tensor& g) {
    std::vector<int64_t> per_row(static_cast<std::size_t>(g.dim()), 1);
    per_row[0] = g.size(0);
    return g / scale->view(per_row).to(g.scalar_type());
  });
  const Tensor y = f(inside);
  if (!y.requires_grad()) return y;  // whoever asks for a gradient says why there is none
  const Tensor outside = y.view_as(y);
  outside.register_hook([scale](const Tensor& v) {
    *scale = power_of_two(v);
    return v * *scale;
  });
  return outside;
}

Tensor differentiable(const Network& network, const Tensor& x, const std::function<Tensor(const Tensor& x)>& f) {
  const bool wanted = at::GradMode::is_enabled() && x.requires_grad();
  return wanted && network.compute_type() == at::kHalf ? scaled_gradient(x, f) : f(x);
}

}  // namespace sextant::networks
