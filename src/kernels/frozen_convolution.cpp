#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <omp.h>
#include <torch/csrc/autograd/custom_function.h>

#include <functional>
#include <mutex>

#include "card_sum.h"
#include "images.h"
#include "internal/kernels/activation.h"
#include "internal/kernels/convolution.h"
#include "internal/kernels/fused.h"
#include "internal/runtime/cuda.h"

namespace sextant::kernels {
namespace {

/// What oneDNN has its better convolutions for: without it (AVX2) none in bfloat16.
bool has_avx512() {
#if defined(__x86_64__)
  static const bool has =
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  return has;
#else
  return true;
#endif
}

enum class Way { kForward, kBack };

/// Without AVX-512 oneDNN leaves groups of a few channels, and the way back to images of three, to matrix products: how
/// those are cut, and so the last bits, follows the number of threads.
bool is_cut_by_threads(const Tensor& weight, const ConvOptions& c, Way way) {
  constexpr int64_t kVector = 8;
  const bool odd = weight.size(1) % kVector != 0 || weight.size(0) / c.groups % kVector != 0;
  const bool depthwise = c.groups > 1 && weight.size(1) == 1;
  return !has_avx512() && odd && !depthwise && (way == Way::kBack || c.groups > 1);
}

/// While it lives, a parallel region of the calling thread has no other thread.
class OneThread {
 public:
  OneThread() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
  ~OneThread() { omp_set_num_threads(before_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

/// f(i), images [1, ...], of all i, each by one thread.
Tensor image_by_image(int64_t batch, const std::function<Tensor(int64_t)>& f) {
  std::vector<Tensor> images(static_cast<std::size_t>(batch));
  at::parallel_for(0, batch, 1, [&](int64_t begin, int64_t end) {
    const at::NoGradGuard no_grad;
    const OneThread one_thread;
    for (int64_t i = begin; i < end; ++i) images[static_cast<std::size_t>(i)] = f(i);
  });
  return batch == 1 ? images[0] : at::cat(images);
}

Tensor by_onednn(const Tensor& x, const Tensor& weight, const c10::optional<Tensor>& bias, const ConvOptions& c) {
  const at::MemoryFormat format = x.suggest_memory_format();
  const Tensor aligned = weight.size(2) == 1 && weight.size(3) == 1 ? weight : weight.contiguous(format);
  const auto convolved = [&](const Tensor& images) {
    return at::mkldnn_convolution(images.contiguous(format), aligned, bias, {c.padding, c.columns()},
                                  {c.stride, c.stride}, {c.dilation, c.dilation}, c.groups);
  };
  if (!is_cut_by_threads(weight, c, Way::kForward)) return convolved(x);
  return image_by_image(x.size(0), [&](int64_t i) { return convolved(x.narrow(0, i, 1)); });
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
  const auto back = [&](const Tensor& dy, const Tensor& images) {
    return std::get<0>(at::convolution_backward(dy, images, weight, c10::nullopt, {c.stride, c.stride},
                                                {c.padding, c.columns()}, {c.dilation, c.dilation}, false, {0, 0},
                                                c.groups, {true, false, false}));
  };
  if (is_cut_by_threads(weight, c, Way::kBack))
    return image_by_image(x.size(0), [&](int64_t i) { return back(gradient.narrow(0, i, 1), x.narrow(0, i, 1)); });
  const Tensor result = back(incoming, seen);
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
  if (x.device().is_cpu() && x.scalar_type() == at::kBFloat16 && !has_avx512()) {
    const auto wide = [](const Tensor& t) { return t.defined() ? t.to(at::kFloat) : t; };
    return frozen_conv2d(wide(x), wide(weight), wide(bias), c).to(at::kBFloat16);
  }
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
