#include "layers.h"

#include "internal/kernels/activation.h"
#include "internal/kernels/linear.h"
#include "internal/networks/shared_norms.h"
#include "sextant/runtime/noise.h"

namespace sextant::networks {

Tensor at_least_float(const Tensor& x) { return x.scalar_type() == at::kDouble ? x : x.to(at::kFloat); }

Conv2d::Conv2d(const Scope& scope, int64_t in, int64_t out, int64_t kernel, Options options_)
    : weight(scope.weight("weight", {out, in / options_.groups, kernel, kernel})), options(options_) {
  if (options.bias) bias = scope.weight("bias", {out});
}

Tensor Conv2d::operator()(const Tensor& x) const {
  return kernels::frozen_conv2d(x, weight, bias, {options.stride, options.padding, options.dilation, options.groups},
                                turned_);
}

Conv2d::Options before_norm(int64_t kernel, int64_t stride, int64_t groups, int64_t dilation) {
  return {.stride = stride, .padding = dilation * (kernel / 2), .groups = groups, .bias = false, .dilation = dilation};
}

Linear::Linear(const Scope& scope, int64_t in, int64_t out, bool with_bias)
    : weight(scope.weight("weight", {out, in})) {
  if (with_bias) bias = scope.weight("bias", {out});
}

Tensor Linear::operator()(const Tensor& x) const { return kernels::linear(x, weight, bias); }

GroupNorm::GroupNorm(const Scope& scope, int64_t groups_, int64_t channels, double eps_)
    : groups(groups_), eps(eps_), weight(scope.norm("weight", {channels})), bias(scope.norm("bias", {channels})) {}

Tensor GroupNorm::operator()(const Tensor& x) const {
  return at::group_norm(at_least_float(x), groups, weight, bias, eps).to(x.scalar_type());
}

BatchNorm2d::BatchNorm2d(const Scope& scope, int64_t channels, double eps_)
    : eps(eps_),
      weight(scope.norm("weight", {channels})),
      bias(scope.norm("bias", {channels})),
      running_mean(scope.statistic("running_mean", {channels})),
      running_var(scope.statistic("running_var", {channels})),
      num_batches_tracked(scope.counter("num_batches_tracked")),
      training(scope.training()) {}

Tensor BatchNorm2d::operator()(const Tensor& x) const {
  constexpr double kMomentum = 0.1;  // the weight of one batch in the running statistics
  const bool trains = training && training->on;
  if (trains) Tensor(num_batches_tracked).add_(1);
  if (const SumOverProcesses* sum = SharedNorms::sum(); trains && sum != nullptr) {
    return shared_batch_norm(at_least_float(x), weight, bias, running_mean, running_var, kMomentum, eps, *sum)
        .to(x.scalar_type());
  }
  return at::batch_norm(at_least_float(x), weight, bias, running_mean, running_var, trains, kMomentum, eps, true)
      .to(x.scalar_type());
}

Dropout::Dropout(const Scope& scope, double rate_)
    : rate(rate_), draw(static_cast<uint64_t>(scope.training()->dropouts++)), training(scope.training()) {}

Tensor Dropout::operator()(const Tensor& x) const {
  if (rate == 0 || !training || !training->on) return x;
  const Noise noise(training->seed, training->samples, x.sizes().slice(1).vec(), x.device());
  return x * (noise.uniform(draw) >= rate).to(x.scalar_type()) / (1 - rate);
}

LayerNorm::LayerNorm(const Scope& scope, int64_t width_, double eps_, bool affine) : width(width_), eps(eps_) {
  if (!affine) return;
  weight = scope.norm("weight", {width});
  bias = scope.norm("bias", {width});
}

Tensor LayerNorm::operator()(const Tensor& x) const {
  return at::layer_norm(at_least_float(x), {width}, weight, bias, eps).to(x.scalar_type());
}

Embedding::Embedding(const Scope& scope, int64_t rows, int64_t width) : weight(scope.weight("weight", {rows, width})) {}

Tensor Embedding::operator()(const Tensor& index) const { return at::embedding(weight, index); }

Tensor Relu::operator()(const Tensor& x) const {
  return softplus_beta > 0 ? kernels::activate(x.clone(), softplus_beta) : at::relu(x);
}

Tensor Relu::of_temporary(Tensor x) const { return kernels::activate(std::move(x), softplus_beta); }

Tensor Relu::of_sum(Tensor x, const Tensor& residual) const {
  return kernels::add_activate(std::move(x), residual, softplus_beta);
}

}  // namespace sextant::networks
