#include "internal/kernels/activation.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include "card_sum.h"
#include "images.h"
#include "internal/kernels/fused.h"
#include "simd/table.h"

namespace sextant::kernels {
namespace {

constexpr int64_t kGrain = 1 << 15;  ///< elements worth a thread of their own

/// Plain loops over memory are possible: the tensor fills its memory, in whatever order of dimensions.
bool is_dense(const Tensor& x) { return x.is_non_overlapping_and_dense(); }

bool has_flat_loop(const Tensor& x) { return is_fused(Fused::kActivation) && has_loop(x) && is_dense(x); }

void loop(const ActivationForward<float>& job) { simd().activation_forward(job); }
void loop(const ActivationForward<Bf16>& job) { simd().activation_forward_bf16(job); }
void loop(const ActivationBackward<float>& job) { simd().activation_backward(job); }
void loop(const ActivationBackward<Bf16>& job) { simd().activation_backward_bf16(job); }

/// f(pointer type, first, count) in parallel over the memory of `like`.
template <class F>
void over_memory(const Tensor& like, F f) {
  at::parallel_for(0, like.numel(), kGrain, [&](int64_t first, int64_t last) {
    if (like.scalar_type() == at::kFloat) {
      f(static_cast<float*>(nullptr), first, last - first);
    } else {
      f(static_cast<Bf16*>(nullptr), first, last - first);
    }
  });
}

template <class T>
T* elements(const Tensor& x, int64_t first) {
  return static_cast<T*>(x.data_ptr()) + first;
}

/// x = act(x + residual) in place, where there is a residual.
class FusedActivation : public torch::autograd::Function<FusedActivation> {
 public:
  static Tensor forward(torch::autograd::AutogradContext* context, Tensor x, const c10::optional<Tensor>& residual,
                        double beta) {
    over_memory(x, [&](auto* type, int64_t first, int64_t count) {
      using T = std::remove_pointer_t<decltype(type)>;
      const T* added = residual ? elements<T>(*residual, first) : nullptr;
      loop(ActivationForward<T>{elements<T>(x, first), added, count, static_cast<float>(beta)});
    });
    context->saved_data["beta"] = beta;
    context->saved_data["added"] = residual.has_value();
    context->mark_dirty({x});
    context->save_for_backward({x});
    return x;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const Tensor y = context->get_saved_variables()[0];
    const double beta = context->saved_data["beta"].toDouble();
    Tensor incoming = gradients[0];
    if (incoming.strides() != y.strides()) {
      Tensor aligned = at::empty_strided(y.sizes(), y.strides(), y.options());
      incoming = aligned.copy_(incoming);
    }
    const Tensor gradient = at::empty_strided(y.sizes(), y.strides(), y.options());
    over_memory(y, [&](auto* type, int64_t first, int64_t count) {
      using T = std::remove_pointer_t<decltype(type)>;
      loop(ActivationBackward<T>{elements<T>(gradient, first), elements<T>(incoming, first), elements<T>(y, first),
                                 count, static_cast<float>(beta)});
    });
    return {gradient, context->saved_data["added"].toBool() ? gradient : Tensor(), Tensor()};
  }
};

/// The plain twin, of any dtype and device.
Tensor composed(const Tensor& x, double beta) { return beta > 0 ? at::softplus(x, beta, 20) : at::relu(x); }

/// A leaf of the graph and a view must not be overwritten.
Tensor owned(Tensor x) { return (x.requires_grad() && x.is_leaf()) || x.is_view() ? x.clone() : x; }

}  // namespace

Tensor activate(Tensor x, double beta) {
  if (fits_card(x, {}, {})) return sum_on_card(std::move(x), {}, {}, true, beta);
  if (!has_flat_loop(x)) return composed(x, beta);
  return FusedActivation::apply(owned(std::move(x)), c10::optional<Tensor>(), beta);
}

Tensor add_activate(Tensor x, const Tensor& residual, double beta) {
  if (fits_card(x, {}, residual)) return sum_on_card(std::move(x), {}, residual, true, beta);
  const bool alike = has_flat_loop(x) && residual.device().is_cpu() && residual.scalar_type() == x.scalar_type() &&
                     residual.sizes() == x.sizes() && residual.strides() == x.strides();
  if (!alike) return composed(x + residual, beta);
  return FusedActivation::apply(owned(std::move(x)), c10::optional<Tensor>(residual), beta);
}

}  // namespace sextant::kernels
