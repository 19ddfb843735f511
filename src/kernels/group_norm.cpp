#include <ATen/core/grad_mode.h>
#include <c10/util/StringUtil.h>
#include <torch/csrc/autograd/custom_function.h>

#include "card_norm.h"
#include "internal/kernels/fused.h"
#include "internal/kernels/norm.h"
#include "norm_loops.h"
#include "sextant/runtime/error.h"

namespace sextant::kernels {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

void check(const char* caller, at::TensorList x, const GroupNorm& norm) {
  int64_t channels = 0;
  for (const Tensor& part : x) channels += part.dim() == 4 ? part.size(1) : 0;
  const std::vector<int64_t> per_image = {x.empty() ? 0 : x[0].size(0), channels};
  bool fits = norm.groups > 0 && channels > 0 && channels % norm.groups == 0 && norm.weight.numel() == channels &&
              norm.bias.numel() == channels && norm.scale.defined() == norm.shift.defined();
  for (const Tensor& tensor : {norm.added, norm.scale, norm.shift}) {
    fits = fits && (!tensor.defined() || tensor.sizes() == per_image);
  }
  if (fits) return;
  std::string modulation;
  for (const Tensor& tensor : {norm.added, norm.scale, norm.shift}) {
    if (tensor.defined()) modulation += c10::str(", modulation ", tensor.sizes());
  }
  throw ShapeError(c10::str(caller, ": images with ", channels, " channels do not fit ", norm.groups,
                            " groups, weight ", norm.weight.sizes(), modulation));
}

Tensor per_channel(const Tensor& tensor) { return tensor.unsqueeze(2).unsqueeze(3); }

/// The fused norm with gradients in all that it is given. Absent tensors are undefined.
class FusedNorm : public torch::autograd::Function<FusedNorm> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& x0, const c10::optional<Tensor>& x1,
                        const Tensor& weight, const Tensor& bias, const c10::optional<Tensor>& added,
                        const c10::optional<Tensor>& scale, const c10::optional<Tensor>& shift, const GroupNorm& norm) {
    const Images x = images_of("group_norm", parts(x0, x1));
    const auto [y, statistics] = norm_forward(x, norm);
    context->save_for_backward({x0, x1.value_or(Tensor()), statistics, weight, bias, scale.value_or(Tensor())});
    context->saved_data["groups"] = norm.groups;
    context->saved_data["silu"] = norm.silu;
    context->saved_data["resampling"] = static_cast<int64_t>(norm.resampling);
    bool trains = weight.requires_grad() || bias.requires_grad();
    for (const auto* input : {&added, &scale, &shift}) trains = trains || (*input && (*input)->requires_grad());
    context->saved_data["trains"] = trains;
    context->saved_data["added"] = added.has_value();
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list dy) {
    const auto saved = context->get_saved_variables();
    const Images x = images_of("group_norm", parts(saved[0], saved[1]));
    const Tensor &statistics = saved[2], &weight = saved[3], &bias = saved[4], &scale = saved[5];
    GroupNorm norm;
    norm.groups = context->saved_data["groups"].toInt();
    norm.silu = context->saved_data["silu"].toBool();
    norm.resampling = static_cast<Resampling>(context->saved_data["resampling"].toInt());
    const NormGradient gradient = norm_backward(x, norm, statistics, dy[0]);
    variable_list result(8);
    result[0] = gradient.dx[0];
    if (gradient.dx.size() > 1) result[1] = gradient.dx[1];
    if (!context->saved_data["trains"].toBool()) return result;

    // z = (n weight + bias) (1 + scale) + shift, with n = inverse (x - centre) and dz summed over the pixels.
    const Tensor dz = gradient.sums.select(1, 0), dz_n = gradient.sums.select(1, 1) * statistics.select(1, kInverse);
    const auto summed = [&](const Tensor& d, const Tensor& like) {
      return (scale.defined() ? d * (1 + scale) : d).sum(0).to(like.scalar_type());
    };
    result[2] = summed(dz_n, weight);
    result[3] = summed(dz, bias);
    if (context->saved_data["added"].toBool()) result[4] = over_pixels(gradient.dx);
    if (scale.defined()) {
      result[5] = (dz_n * weight + dz * bias).to(scale.scalar_type());
      result[6] = dz.to(scale.scalar_type());
    }
    return result;
  }

 private:
  static std::vector<Tensor> parts(const Tensor& x0, const c10::optional<Tensor>& x1) {
    return x1.has_value() && x1->defined() ? std::vector<Tensor>{x0, *x1} : std::vector<Tensor>{x0};
  }

  static Tensor over_pixels(const std::vector<Tensor>& dx) {
    std::vector<Tensor> sums;
    for (const Tensor& part : dx) sums.push_back(part.to(at::kFloat).sum({2, 3}));
    return at::cat(sums, 1);
  }
};

/// Whether the loops can read the tensors, gradients or not.
bool readable(at::TensorList tensors) {
  const at::NoGradGuard no_grad;
  return fuses(tensors);
}

}  // namespace

Tensor group_norm(at::TensorList x, const GroupNorm& norm) {
  check("group_norm", x, norm);
  if (fits_card(x, norm)) return group_norm_on_card(x, norm);
  const std::vector<Tensor> parameters = {norm.weight, norm.bias, norm.added, norm.scale, norm.shift};
  if (!is_fused(Fused::kNorm) || !has_loop(x[0]) || !readable(parameters)) return group_norm_plain(x, norm);
  if (fuses(x) && fuses(parameters)) return norm_forward(images_of("group_norm", x), norm).first;
  return FusedNorm::apply(x[0], if_defined(x.size() > 1 ? x[1] : Tensor()), norm.weight, norm.bias,
                          if_defined(norm.added), if_defined(norm.scale), if_defined(norm.shift), norm);
}

Tensor group_norm_plain(at::TensorList x, const GroupNorm& norm) {
  check("group_norm", x, norm);
  Tensor h = joined(x);
  const at::ScalarType type = h.scalar_type();
  if (type != at::kDouble) h = h.to(at::kFloat);
  if (norm.added.defined()) h = h + per_channel(norm.added);
  h = at::group_norm(h, norm.groups, norm.weight, norm.bias, norm.eps);
  if (norm.scale.defined()) h = h * (1 + per_channel(norm.scale)) + per_channel(norm.shift);
  if (norm.silu) h = at::silu(h);
  return resample_plain(h, norm.resampling).to(type);
}

Tensor resample_plain(const Tensor& x, Resampling resampling) {
  if (resampling == Resampling::kHalve) return at::avg_pool2d(x, 2);
  if (resampling == Resampling::kDouble) return at::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)});
  return x;
}

Tensor resample(const Tensor& x, Resampling resampling) {
  if (resamples_on_card(x, resampling)) return resample_on_card(x, resampling);
  const bool loops = is_fused(Fused::kResample) && fuses(x) && has_loop(x);
  if (resampling == Resampling::kKeep || !loops) return resample_plain(x, resampling);
  GroupNorm as_is;
  as_is.resampling = resampling;
  const Tensor times_one_plus_zero = at::zeros({x.size(0), kStatistics, x.size(1)}, at::kFloat);
  times_one_plus_zero.select(1, kFactor).fill_(1);
  return norm_apply(images_of("resample", x), as_is, times_one_plus_zero);
}

}  // namespace sextant::kernels
