#include "card_norm.h"

#include "internal/runtime/cuda.h"
#include "sextant/runtime/error.h"
#if defined(SEXTANT_CUDA)
#include <ATen/core/grad_mode.h>
#include <c10/core/DeviceGuard.h>
#include <torch/csrc/autograd/custom_function.h>

#include "cuda/norm.h"
#include "internal/runtime/libtorch.h"
#endif

namespace sextant::kernels {

#if defined(SEXTANT_CUDA)
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr auto kChannelsLast = at::MemoryFormat::ChannelsLast;

cuda::Number number_of(at::ScalarType type) {
  return type == at::kBFloat16 ? cuda::Number::kBFloat16
         : type == at::kHalf   ? cuda::Number::kHalf
                               : cuda::Number::kFloat;
}

/// One or two parts, channels last already.
cuda::NormImages images_on_card(const Tensor& first, const Tensor& second) {
  const int64_t channels = first.size(1) + (second.defined() ? second.size(1) : 0);
  return {number_of(first.scalar_type()),
          first.data_ptr(),
          second.defined() ? second.data_ptr() : nullptr,
          first.size(0),
          first.size(1),
          channels,
          first.size(2) * first.size(3)};
}

/// Rows of float32 [B, C], which may lie apart.
Tensor float_rows(const Tensor& x) {
  if (!x.defined()) return x;
  const Tensor wide = x.to(at::kFloat);
  return wide.stride(1) == 1 ? wide : wide.contiguous();
}
const float* floats(const Tensor& x) { return x.defined() ? x.data_ptr<float>() : nullptr; }
int64_t stride_of(const Tensor& x) { return x.defined() ? x.stride(0) : 0; }

Tensor room_of(const cuda::NormImages& x, int64_t rows, int64_t numbers, const Tensor& like) {
  return at::empty({x.batch * x.channels * rows * numbers}, like.options().dtype(at::kFloat));
}

void check_launch(int error) {
  if (error != 0) throw Error("group norm: the card refused its kernels, CUDA error " + std::to_string(error));
}

class NormOnCard : public torch::autograd::Function<NormOnCard> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& x0, const std::optional<Tensor>& x1,
                        const GroupNorm& norm) {
    const c10::DeviceGuard guard(x0.device());
    const Tensor first = x0.contiguous(kChannelsLast);
    const Tensor second = x1 ? x1->contiguous(kChannelsLast) : Tensor();
    const cuda::NormImages x = images_on_card(first, second);
    const Tensor weight = norm.weight.to(at::kFloat), bias = norm.bias.to(at::kFloat);
    const Tensor added = float_rows(norm.added), scale = float_rows(norm.scale), shift = float_rows(norm.shift);
    if (scale.defined() && scale.stride(0) != shift.stride(0))
      throw Error("group norm: scale and shift lie differently");
    const cuda::NormParameters parameters{floats(weight),   floats(bias),     floats(added),
                                          floats(scale),    floats(shift),    norm.groups,
                                          stride_of(added), stride_of(scale), static_cast<float>(norm.eps),
                                          norm.silu};
    const Tensor room = room_of(x, x.chunks() + 1, 3, first);
    const Tensor affine = room_of(x, 1, 4, first);
    Tensor y = at::empty({x.batch, x.channels, first.size(2), first.size(3)}, first.options(), kChannelsLast);
    check_launch(cuda::norm_forward(x, parameters, reinterpret_cast<cuda::Moments*>(room.data_ptr<float>()),
                                    reinterpret_cast<cuda::Affine*>(affine.data_ptr<float>()), y.data_ptr(),
                                    libtorch::stream_of(first.device())));
    context->save_for_backward({first, second, affine});
    context->saved_data["groups"] = norm.groups;
    context->saved_data["silu"] = norm.silu;
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list dy) {
    const auto saved = context->get_saved_variables();
    const Tensor &first = saved[0], &second = saved[1], &affine = saved[2];
    const c10::DeviceGuard guard(first.device());
    const cuda::NormImages x = images_on_card(first, second);
    const Tensor slopes = dy[0].to(first.scalar_type()).contiguous(kChannelsLast);
    const Tensor room = room_of(x, x.chunks() + 2, 2, first);
    Tensor dfirst = at::empty_like(first), dsecond = second.defined() ? at::empty_like(second) : Tensor();
    check_launch(cuda::norm_backward(x, context->saved_data["groups"].toInt(), context->saved_data["silu"].toBool(),
                                     reinterpret_cast<const cuda::Affine*>(affine.data_ptr<float>()), slopes.data_ptr(),
                                     reinterpret_cast<cuda::Sums*>(room.data_ptr<float>()), dfirst.data_ptr(),
                                     dsecond.defined() ? dsecond.data_ptr() : nullptr,
                                     libtorch::stream_of(first.device())));
    return {dfirst, dsecond, Tensor()};
  }
};

bool wants_gradient(const Tensor& x) { return x.defined() && x.requires_grad(); }

}  // namespace

bool fits_card(at::TensorList x, const GroupNorm& norm) {
  if (!own_cuda_kernels() || !x[0].is_cuda() || x.size() > 2) return false;
  const at::ScalarType type = x[0].scalar_type();
  const bool number = type == at::kFloat || type == at::kBFloat16 || type == at::kHalf;
  const bool trains = at::GradMode::is_enabled() &&
                      (wants_gradient(norm.weight) || wants_gradient(norm.bias) || wants_gradient(norm.added) ||
                       wants_gradient(norm.scale) || wants_gradient(norm.shift));
  return number && !trains && x[0].numel() > 0 && (x.size() == 1 || x[1].scalar_type() == type);
}

Tensor group_norm_on_card(at::TensorList x, const GroupNorm& norm) {
  const Tensor y = NormOnCard::apply(x[0], x.size() > 1 ? std::optional<Tensor>(x[1]) : std::optional<Tensor>(), norm);
  return resample_plain(y, norm.resampling);
}

#else

bool fits_card(at::TensorList, const GroupNorm&) { return false; }

Tensor group_norm_on_card(at::TensorList, const GroupNorm&) {
  throw Error("group norm: this build has no CUDA kernels; configure with -DSEXTANT_CUDA=ON");
}

#endif

}  // namespace sextant::kernels
