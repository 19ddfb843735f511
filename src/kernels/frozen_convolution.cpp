#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <mutex>

#include "card_sum.h"
#include "images.h"
#include "internal/kernels/activation.h"
#include "internal/kernels/convolution.h"
#include "internal/kernels/fused.h"
#include "internal/runtime/cuda.h"

namespace sextant::kernels {
namespace {

Tensor by_onednn(const Tensor& x, const Tensor& weight, const c10::optional<Tensor>& bias, const ConvOptions& c) {
  const at::MemoryFormat format = x.suggest_memory_format();
  const Tensor aligned = weight.size(2) == 1 && weight.size(3) == 1 ? weight : weight.contiguous(format);
  return at::mkldnn_convolution(x.contiguous(format), aligned, bias, {c.padding, c.columns()}, {c.stride, c.stride},
                                {c.dilation, c.dilation}, c.groups);
}

/// d/dx of a convolution of stride 1 is a convolution with the weights turned round and their channels exchanged.
bool turns(const Tensor& weight, const ConvOptions& c) {
  const int64_t kernel = weight.size(2);
  const bool square = kernel == weight.size(3) && c.padding < kernel && c.columns() == c.padding;
  return c.stride == 1 && c.dilation == 1 && c.groups == 1 && square;
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
  /// `weight_back` is the turned weight where the gradient is such a convolution, by the same route whatever the batch
  /// and the number of threads.
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& x, const Tensor& weight,
                        const c10::optional<Tensor>& bias, const c10::optional<Tensor>& weight_back, ConvOptions c) {
    if (weight_back) {
      context->save_for_backward({*weight_back});
    } else {
      context->save_for_backward({x, weight});
    }
    context->saved_data["options"] = std::vector<int64_t>{c.stride, c.padding, c.dilation, c.groups, c.columns()};
    return by_onednn(x, weight, bias, c);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto options = context->saved_data["options"].toIntVector();
    const ConvOptions c{options[0], options[1], options[2], options[3], options[4]};
    const bool turned = saved.size() == 1;
    const Tensor gradient = turned ? by_onednn(gradients[0], saved[0], {}, {1, saved[0].size(2) - 1 - c.padding, 1, 1})
                                   : gradient_by_libtorch(gradients[0], saved[0], saved[1], c);
    return {gradient, Tensor(), Tensor(), Tensor(), Tensor()};
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

/// Holding the weight's storage keeps another's from coming to lie at the same place.
struct TurnedWeight::Kept {
  std::mutex mutex;
  Tensor source;  ///< the weight when it was turned
  int64_t version = 0;
  Tensor turned;

  bool fits(const Tensor& weight) const {
    return source.defined() && source.data_ptr() == weight.data_ptr() && version == weight._version() &&
           source.scalar_type() == weight.scalar_type() && source.sizes() == weight.sizes() &&
           source.strides() == weight.strides();
  }
};

TurnedWeight::TurnedWeight() : kept_(std::make_shared<Kept>()) {}

Tensor TurnedWeight::operator()(const Tensor& weight) const {
  const std::lock_guard lock(kept_->mutex);
  if (!kept_->fits(weight)) {
    const at::NoGradGuard no_grad;
    // An alias of its own: set_data() on the weight leaves it where it is.
    kept_->source = weight.detach();
    kept_->version = weight._version();
    kept_->turned = weight.flip({2, 3}).transpose(0, 1).contiguous(at::MemoryFormat::ChannelsLast);
  }
  return kept_->turned;
}

Tensor frozen_conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const ConvOptions& c,
                     const TurnedWeight& turned) {
  if (has_route(x, weight, bias) && x.dim() == 4 && x.size(1) == weight.size(1) * c.groups) {
    const bool gradient = at::GradMode::is_enabled() && x.requires_grad();
    return FrozenConv2d::apply(x, weight, if_defined(bias),
                               if_defined(gradient && turns(weight, c) ? turned(weight) : Tensor()), c);
  }
  return at::conv2d(x, weight, bias, {c.stride, c.stride}, {c.padding, c.columns()}, {c.dilation, c.dilation},
                    c.groups);
}

Tensor activated_conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const ConvOptions& c,
                        const TurnedWeight& turned, double beta, const Tensor& residual) {
  if (own_cuda_kernels() && x.is_cuda() && bias.defined()) {
    Tensor y = frozen_conv2d(x, weight, {}, c, turned);
    if (fits_card(y, bias, residual)) return sum_on_card(std::move(y), bias, residual, /*activates=*/true, beta);
    y = y + bias.view({-1, 1, 1});
    return residual.defined() ? add_activate(y, residual, beta) : activate(y, beta);
  }
  Tensor y = frozen_conv2d(x, weight, bias, c, turned);
  return residual.defined() ? add_activate(std::move(y), residual, beta) : activate(std::move(y), beta);
}

}  // namespace sextant::kernels
