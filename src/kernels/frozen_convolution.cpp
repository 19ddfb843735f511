#include <torch/csrc/autograd/custom_function.h>

#include "internal/kernels/convolution.h"
#include "internal/kernels/fused.h"

namespace sextant::kernels {
namespace {

Tensor by_onednn(const Tensor& x, const Tensor& weight, const c10::optional<Tensor>& bias, const ConvOptions& c) {
  const at::MemoryFormat format = x.suggest_memory_format();
  const Tensor aligned = weight.size(2) == 1 && weight.size(3) == 1 ? weight : weight.contiguous(format);
  return at::mkldnn_convolution(x.contiguous(format), aligned, bias, {c.padding, c.columns()}, {c.stride, c.stride},
                                {c.dilation, c.dilation}, c.groups);
}

/// d/dx of a convolution of stride 1 is a convolution with the weights turned round and their channels exchanged.
Tensor gradient_by_convolution(const Tensor& gradient, const Tensor& weight, const ConvOptions& c) {
  const int64_t kernel = weight.size(2);
  const Tensor turned = (kernel > 1 ? weight.flip({2, 3}) : weight).transpose(0, 1);
  return by_onednn(gradient, turned, {}, {1, kernel - 1 - c.padding, 1, 1});
}

/// libtorch's own backward pass, in oneDNN: it leaves single small images to another product, so such a one gets
/// company.
Tensor gradient_by_libtorch(const Tensor& gradient, const Tensor& x, const Tensor& weight, const ConvOptions& c) {
  constexpr int64_t kSmall = 20480;
  const bool lonely = x.size(0) == 1 && c.groups == 1 && weight.size(2) <= 3 && x.numel() <= kSmall;
  const Tensor seen = lonely ? at::cat({x, x}) : x;  // in the memory format of x
  const Tensor incoming = lonely ? at::cat({gradient, at::zeros_like(gradient)}) : gradient;
  const Tensor result = std::get<0>(at::convolution_backward(incoming, seen, weight, c10::nullopt, {c.stride, c.stride},
                                                             {c.padding, c.columns()}, {c.dilation, c.dilation}, false,
                                                             {0, 0}, c.groups, {true, false, false}));
  return lonely ? result.narrow(0, 0, 1) : result;
}

class FrozenConv2d : public torch::autograd::Function<FrozenConv2d> {
 public:
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& x, const Tensor& weight,
                        const c10::optional<Tensor>& bias, ConvOptions c) {
    context->save_for_backward({x, weight});
    context->saved_data["options"] = std::vector<int64_t>{c.stride, c.padding, c.dilation, c.groups, c.columns()};
    return by_onednn(x, weight, bias, c);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const Tensor &x = saved[0], &weight = saved[1];
    const auto options = context->saved_data["options"].toIntVector();
    const ConvOptions c{options[0], options[1], options[2], options[3], options[4]};
    const int64_t kernel = weight.size(2);
    const bool square = kernel == weight.size(3) && c.padding < kernel && c.columns() == c.padding;
    // By the same route whatever the batch and the number of threads.
    const bool by_convolution = c.stride == 1 && c.dilation == 1 && c.groups == 1 && square;
    const Tensor gradient = by_convolution ? gradient_by_convolution(gradients[0], weight, c)
                                           : gradient_by_libtorch(gradients[0], x, weight, c);
    return {gradient, Tensor(), Tensor(), Tensor()};
  }
};

bool has_route(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  const bool frozen = !weight.requires_grad() && !(bias.defined() && bias.requires_grad());
  const bool number = x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16;
  const bool cpu_float = x.device().is_cpu() && number && weight.scalar_type() == x.scalar_type();
  return is_fused(Fused::kFrozen) && frozen && cpu_float && x.numel() > 0 && at::globalContext().hasMKLDNN() &&
         at::globalContext().userEnabledMkldnn();
}

}  // namespace

Tensor frozen_conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const ConvOptions& c) {
  if (has_route(x, weight, bias) && x.dim() == 4 && x.size(1) == weight.size(1) * c.groups) {
    return FrozenConv2d::apply(x, weight, bias.defined() ? c10::optional<Tensor>(bias) : c10::nullopt, c);
  }
  return at::conv2d(x, weight, bias, {c.stride, c.stride}, {c.padding, c.columns()}, {c.dilation, c.dilation},
                    c.groups);
}

}  // namespace sextant::kernels
