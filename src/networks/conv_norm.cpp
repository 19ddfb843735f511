#include "conv_norm.h"

#include <ATen/core/grad_mode.h>

namespace sextant::networks {

ConvNorm::ConvNorm(const Scope& conv, const Scope& norm, int64_t in, int64_t out, int64_t kernel,
                   Conv2d::Options options, double eps)
    : conv_(conv, in, out, kernel, options), norm_(norm, out, eps) {}

Tensor ConvNorm::operator()(const Tensor& x) const {
  if (!folded_weight_.defined()) return norm_(conv_(x));
  const Conv2d::Options& o = conv_.options;
  return kernels::frozen_conv2d(x, folded_weight_, folded_bias_, {o.stride, o.padding, o.dilation, o.groups}, turned_);
}

Tensor ConvNorm::operator()(const Tensor& x, const Relu& relu, const Tensor& residual) const {
  if (!folded_weight_.defined()) {
    return residual.defined() ? relu.of_sum((*this)(x), residual) : relu.of_temporary((*this)(x));
  }
  const Conv2d::Options& o = conv_.options;
  return kernels::activated_conv2d(x, folded_weight_, folded_bias_, {o.stride, o.padding, o.dilation, o.groups},
                                   turned_, relu.softplus_beta, residual);
}

void ConvNorm::fold() { std::tie(folded_weight_, folded_bias_) = folded(conv_.weight, conv_.bias, norm_); }

std::pair<Tensor, Tensor> folded(const Tensor& weight, const Tensor& bias, const BatchNorm2d& norm) {
  const at::NoGradGuard no_grad;
  const auto exact = [](const Tensor& t) { return t.to(at::kDouble); };
  const at::ScalarType type = weight.scalar_type();
  const Tensor scale = exact(norm.weight) / (exact(norm.running_var) + norm.eps).sqrt();
  const Tensor offset = bias.defined() ? exact(bias) - exact(norm.running_mean) : -exact(norm.running_mean);
  const Tensor scaled = (exact(weight) * scale.view({-1, 1, 1, 1})).to(type);
  return {type == at::kDouble ? scaled : scaled.contiguous(at::MemoryFormat::ChannelsLast),
          (scale * offset + exact(norm.bias)).to(type)};
}

Tensor image_for(const Tensor& x, at::ScalarType type) {
  const Tensor converted = x.to(type);
  if (type == at::kDouble) return converted;
  // One channel is contiguous either way, and the layers behind it would take the wrong one.
  return x.size(1) == 1 ? converted.clone(at::MemoryFormat::ChannelsLast)
                        : converted.contiguous(at::MemoryFormat::ChannelsLast);
}

}  // namespace sextant::networks
