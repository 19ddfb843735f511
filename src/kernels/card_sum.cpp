#include "card_sum.h"

#include "card.h"
#include "internal/runtime/cuda.h"
#include "sextant/runtime/error.h"
#if defined(SEXTANT_CUDA)
#include "cuda/sum.h"
#endif

namespace sextant::kernels {

#if defined(SEXTANT_CUDA)
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct Activation {
  cuda::Act act;
  float beta;
};

class SumOnCard : public torch::autograd::Function<SumOnCard> {
 public:
  static Tensor forward(AutogradContext* context, Tensor x, const std::optional<Tensor>& bias,
                        const std::optional<Tensor>& residual, Activation activation) {
    const c10::DeviceGuard guard(x.device());
    check_launch("sum", cuda::add(number_of(x.scalar_type()), x.data_ptr(), pointer_of(bias.value_or(Tensor())),
                                  pointer_of(residual.value_or(Tensor())), x.numel(), x.dim() > 1 ? x.size(1) : 1,
                                  activation.act, activation.beta, libtorch::stream_of(x.device())));
    context->mark_dirty({x});
    if (activation.act != cuda::Act::kNone) context->save_for_backward({x});
    context->saved_data["act"] = static_cast<int64_t>(activation.act);
    context->saved_data["beta"] = static_cast<double>(activation.beta);
    context->saved_data["residual"] = residual.has_value();
    return x;
  }

  static variable_list backward(AutogradContext* context, variable_list dy) {
    const auto act = static_cast<cuda::Act>(context->saved_data["act"].toInt());
    Tensor dx = dy[0];
    if (act != cuda::Act::kNone) {
      const Tensor y = context->get_saved_variables()[0];
      const c10::DeviceGuard guard(y.device());
      const Tensor slopes = dx.strides() == y.strides() ? dx : at::empty_like(y).copy_(dx);
      dx = at::empty_like(y);
      check_launch("sum", cuda::add_gradient(number_of(y.scalar_type()), slopes.data_ptr(), y.data_ptr(), dx.data_ptr(),
                                             y.numel(), act, static_cast<float>(context->saved_data["beta"].toDouble()),
                                             libtorch::stream_of(y.device())));
    }
    return {dx, Tensor(), context->saved_data["residual"].toBool() ? dx : Tensor(), Tensor()};
  }
};

bool alike(const Tensor& x, const Tensor& y) {
  return y.device() == x.device() && y.scalar_type() == x.scalar_type() && y.sizes() == x.sizes() &&
         y.strides() == x.strides();
}

bool is_row(const Tensor& bias, const Tensor& x) {
  return bias.device() == x.device() && bias.scalar_type() == x.scalar_type() && bias.is_contiguous() &&
         bias.dim() == 1 && x.dim() == 4 && bias.size(0) == x.size(1) &&
         x.is_contiguous(at::MemoryFormat::ChannelsLast);
}

}  // namespace

bool fits_card(const Tensor& x, const Tensor& bias, const Tensor& residual) {
  return own_cuda_kernels() && x.is_cuda() && is_card_number(x.scalar_type()) && x.numel() > 0 &&
         x.numel() <= cuda::kMostThreads && x.is_non_overlapping_and_dense() && !wants_gradient(bias) &&
         (!bias.defined() || is_row(bias, x)) && (!residual.defined() || alike(x, residual));
}

Tensor sum_on_card(Tensor x, const Tensor& bias, const Tensor& residual, bool activates, double beta) {
  // A leaf of the graph and a view must not be overwritten.
  if ((x.requires_grad() && x.is_leaf()) || x.is_view()) x = x.clone();
  const cuda::Act act = !activates ? cuda::Act::kNone : beta > 0 ? cuda::Act::kSoftplus : cuda::Act::kRelu;
  return SumOnCard::apply(std::move(x), if_defined(bias), if_defined(residual),
                          Activation{act, static_cast<float>(beta)});
}

#else

bool fits_card(const Tensor&, const Tensor&, const Tensor&) { return false; }

Tensor sum_on_card(Tensor, const Tensor&, const Tensor&, bool, double) {
  throw Error("sum: this build has no CUDA kernels; configure with -DSEXTANT_CUDA=ON");
}

#endif

}  // namespace sextant::kernels
