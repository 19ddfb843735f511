#include "card_norm.h"

#include "card.h"
#include "internal/runtime/cuda.h"
#include "sextant/runtime/error.h"
#if defined(SEXTANT_CUDA)
#include <algorithm>

#include "cuda/norm.h"
#endif

namespace sextant::kernels {

#if defined(SEXTANT_CUDA)
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr auto kByChannels = at::MemoryFormat::ChannelsLast;

/// One or two parts, channels last already.
cuda::NormImages images_on_card(const Tensor& first, const Tensor& second) {
  const int64_t channels = first.size(1) + (second.defined() ? second.size(1) : 0);
  return {number_of(first.scalar_type()), first.data_ptr(), pointer_of(second), first.size(0), first.size(1), channels,
          first.size(2) * first.size(3)};
}

/// Rows [B, C] of `type`, which may lie apart.
Tensor rows(const Tensor& x, at::ScalarType type) {
  if (!x.defined()) return x;
  const Tensor of_type = x.to(type);
  return of_type.stride(1) == 1 ? of_type : of_type.contiguous();
}
int64_t stride_of(const Tensor& x) { return x.defined() ? x.stride(0) : 0; }

/// The type that the modulation is read in: that of the images where all of it has that, else float32.
at::ScalarType type_of_modulation(const GroupNorm& norm, at::ScalarType images) {
  for (const Tensor* x : {&norm.added, &norm.scale, &norm.shift}) {
    if (x->defined() && x->scalar_type() != images) return at::kFloat;
  }
  return images;
}

Tensor room_of(const cuda::NormImages& x, int64_t rows, int64_t numbers, const Tensor& like) {
  return at::empty({x.batch * x.channels * rows * numbers}, like.options().dtype(at::kFloat));
}

cuda::Resized resized_by(Resampling resampling) {
  return resampling == Resampling::kHalve    ? cuda::Resized::kHalved
         : resampling == Resampling::kDouble ? cuda::Resized::kDoubled
                                             : cuda::Resized::kKept;
}

/// Images like x with `channels`, resized.
Tensor room_for(const Tensor& x, int64_t channels, cuda::Resized resized) {
  const auto size = [&](int64_t side) {
    return resized == cuda::Resized::kHalved ? side / 2 : resized == cuda::Resized::kDoubled ? 2 * side : side;
  };
  return at::empty({x.size(0), channels, size(x.size(2)), size(x.size(3))}, x.options(), kByChannels);
}

/// The kernels halve even sides, and have no gradient of that in any of `inputs`.
bool resizes(const Tensor& x, Resampling resampling, at::TensorList inputs) {
  const bool even = resampling != Resampling::kHalve || (x.size(2) % 2 == 0 && x.size(3) % 2 == 0);
  return resampling != Resampling::kKeep && even && std::none_of(inputs.begin(), inputs.end(), wants_gradient);
}

class NormOnCard : public torch::autograd::Function<NormOnCard> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& x0, const std::optional<Tensor>& x1,
                        const Tensor& weight_, const Tensor& bias_, const std::optional<Tensor>& added_,
                        const std::optional<Tensor>& scale_, const std::optional<Tensor>& shift_,
                        const GroupNorm& norm) {
    const c10::DeviceGuard guard(x0.device());
    const Tensor first = x0.contiguous(kByChannels);
    const Tensor second = x1 ? x1->contiguous(kByChannels) : Tensor();
    const cuda::NormImages x = images_on_card(first, second);
    const Tensor weight = weight_.to(at::kFloat), bias = bias_.to(at::kFloat);
    const at::ScalarType type = type_of_modulation(norm, first.scalar_type());
    const Tensor added = rows(norm.added, type), scale = rows(norm.scale, type), shift = rows(norm.shift, type);
    if (scale.defined() && scale.stride(0) != shift.stride(0))
      throw Error("group norm: scale and shift lie differently");
    const cuda::NormGiven given{
        weight.data_ptr<float>(), bias.data_ptr<float>(),       pointer_of(added), pointer_of(scale),
        pointer_of(shift),        type == first.scalar_type(),  norm.groups,       stride_of(added),
        stride_of(scale),         static_cast<float>(norm.eps), norm.silu};
    const Tensor room = room_of(x, x.chunks() + 1, 3, first);
    const Tensor affine = room_of(x, 1, 4, first);
    const cuda::Resized resized = resized_by(norm.resampling);
    Tensor y = room_for(first, x.channels, resized);
    check_launch("group norm", cuda::norm_forward(x, given, reinterpret_cast<cuda::Moments*>(room.data_ptr<float>()),
                                                  affine.data_ptr<float>(), resized, first.size(3), y.data_ptr(),
                                                  libtorch::stream_of(first.device())));
    bool trains = weight_.requires_grad() || bias_.requires_grad();
    for (const auto* input : {&added_, &scale_, &shift_}) trains = trains || (*input && (*input)->requires_grad());
    context->save_for_backward({first, second, affine, weight_, bias_, scale_.value_or(Tensor())});
    context->saved_data["groups"] = norm.groups;
    context->saved_data["silu"] = norm.silu;
    context->saved_data["trains"] = trains;
    context->saved_data["added"] = added_ ? static_cast<int64_t>(added_->scalar_type()) : -1;
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list dy) {
    const auto saved = context->get_saved_variables();
    const Tensor &first = saved[0], &second = saved[1], &affine = saved[2];
    const c10::DeviceGuard guard(first.device());
    const cuda::NormImages x = images_on_card(first, second);
    const Tensor slopes = dy[0].to(first.scalar_type()).contiguous(kByChannels);
    const Tensor room = room_of(x, x.chunks() + 2, 2, first);
    Tensor dfirst = at::empty_like(first), dsecond = second.defined() ? at::empty_like(second) : Tensor();
    check_launch("group norm",
                 cuda::norm_backward(x, context->saved_data["groups"].toInt(), context->saved_data["silu"].toBool(),
                                     affine.data_ptr<float>(), slopes.data_ptr(),
                                     reinterpret_cast<cuda::Sums*>(room.data_ptr<float>()), dfirst.data_ptr(),
                                     pointer_of(dsecond), libtorch::stream_of(first.device())));
    variable_list result(8);
    result[0] = dfirst;
    result[1] = dsecond;
    if (!context->saved_data["trains"].toBool()) return result;

    // z = (n weight + bias) (1 + scale) + shift; the kernels left the sums of dz and dz n over the pixels.
    const Tensor &weight = saved[3], &bias = saved[4], &scale = saved[5];
    const int64_t channels = x.batch * x.channels;
    const Tensor sums = room.narrow(0, 2 * channels * x.chunks(), 2 * channels).view({x.batch, x.channels, 2});
    const Tensor dz = sums.select(2, 0), dz_n = sums.select(2, 1);
    const auto summed = [&](const Tensor& d, const Tensor& like) {
      return (scale.defined() ? d * (1 + scale) : d).sum(0).to(like.scalar_type());
    };
    result[2] = summed(dz_n, weight);
    result[3] = summed(dz, bias);
    const int64_t added = context->saved_data["added"].toInt();
    if (added >= 0) result[4] = over_pixels(dfirst, dsecond).to(static_cast<at::ScalarType>(added));
    if (scale.defined()) {
      result[5] = (dz_n * weight + dz * bias).to(scale.scalar_type());
      result[6] = dz.to(scale.scalar_type());
    }
    return result;
  }

 private:
  static Tensor over_pixels(const Tensor& first, const Tensor& second) {
    const auto sum = [](const Tensor& x) { return x.sum({2, 3}, false, at::kFloat); };
    return second.defined() ? at::cat({sum(first), sum(second)}, 1) : sum(first);
  }
};

}  // namespace

bool fits_card(at::TensorList x, const GroupNorm& norm) {
  return own_cuda_kernels() && x[0].is_cuda() && x.size() <= 2 && is_card_number(x[0].scalar_type()) &&
         x[0].numel() > 0 && x[0].size(0) * norm.weight.numel() * x[0].size(2) * x[0].size(3) <= cuda::kMostThreads &&
         (x.size() == 1 || x[1].scalar_type() == x[0].scalar_type());
}

Tensor group_norm_on_card(at::TensorList x, const GroupNorm& norm) {
  std::vector<Tensor> inputs = {norm.weight, norm.bias, norm.added, norm.scale, norm.shift};
  inputs.insert(inputs.end(), x.begin(), x.end());
  GroupNorm now = norm;
  if (!resizes(x[0], norm.resampling, inputs)) now.resampling = Resampling::kKeep;
  const Tensor y = NormOnCard::apply(x[0], if_defined(x.size() > 1 ? x[1] : Tensor()), norm.weight, norm.bias,
                                     if_defined(norm.added), if_defined(norm.scale), if_defined(norm.shift), now);
  return now.resampling == norm.resampling ? y : resample_plain(y, norm.resampling);
}

bool resamples_on_card(const Tensor& x, Resampling resampling) {
  return own_cuda_kernels() && x.is_cuda() && is_card_number(x.scalar_type()) && x.dim() == 4 && x.numel() > 0 &&
         4 * x.numel() <= cuda::kMostThreads && resizes(x, resampling, {x});
}

Tensor resample_on_card(const Tensor& x, Resampling resampling) {
  const c10::DeviceGuard guard(x.device());
  const Tensor images = x.contiguous(kByChannels);
  const cuda::Resized resized = resized_by(resampling);
  Tensor y = room_for(images, images.size(1), resized);
  check_launch("resample", cuda::resample(images_on_card(images, {}), resized, images.size(3), y.data_ptr(),
                                          libtorch::stream_of(images.device())));
  return y;
}

#else

bool fits_card(at::TensorList, const GroupNorm&) { return false; }

bool resamples_on_card(const Tensor&, Resampling) { return false; }

Tensor resample_on_card(const Tensor& x, Resampling resampling) { return resample_plain(x, resampling); }

Tensor group_norm_on_card(at::TensorList, const GroupNorm&) {
  throw Error("group norm: this build has no CUDA kernels; configure with -DSEXTANT_CUDA=ON");
}

#endif

}  // namespace sextant::kernels
