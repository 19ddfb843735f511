#include "internal/kernels/convolution.h"

#include <ATen/core/grad_mode.h>
#include <c10/util/StringUtil.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "card_sum.h"
#include "images.h"
#include "internal/kernels/fused.h"
#include "internal/runtime/cuda.h"
#include "onednn.h"
#include "panels.h"
#include "sextant/runtime/error.h"
#include "winograd.h"

namespace sextant::kernels {

enum class Method : int64_t { kWinograd, kPanels, kOneDnn };

bool is_fused(Method method) {
  switch (method) {
    case Method::kWinograd:
      return is_fused(Fused::kWinograd);
    case Method::kPanels:
      return is_fused(Fused::kPanels);
    default:
      return is_fused(Fused::kPacked);
  }
}

/// A tensor at one moment: in-place changes raise its version, replaced data moves.
struct Stamp {
  explicit Stamp(const Tensor& tensor)
      : data(tensor.defined() ? tensor.data_ptr() : nullptr),
        version(tensor.defined() ? static_cast<int64_t>(tensor._version()) : 0) {}
  bool operator==(const Stamp&) const = default;

  const void* data;
  int64_t version;
};

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Large weights are worth transforming for large pictures only: at few tiles the time goes into reading them, and
/// transformed ones are larger by 16/9.
bool suits_winograd(const Tensor& weight, int64_t stride, int64_t padding, int64_t height, int64_t width) {
  constexpr int64_t kVectors = 16;
  return weight.size(2) == 3 && weight.size(3) == 3 && stride == 1 && padding == 1 && weight.size(0) % kVectors == 0 &&
         weight.size(1) % kVectors == 0 && (height * width >= 256 || weight.size(0) * weight.size(1) <= 1 << 16);
}

bool is_product(const Tensor& weight, int64_t stride, int64_t padding) {
  return weight.size(2) == 1 && weight.size(3) == 1 && stride == 1 && padding == 0;
}

[[noreturn]] void refuse(const Tensor& residual, const Tensor& y) {
  throw ShapeError(c10::str("convolution: residual ", residual.sizes(), " does not fit the result ", y.sizes()));
}

/// The float32 methods: `weights` laid out for them.
Tensor convolve(Method method, at::TensorList x, const Tensor& weights, int64_t out, const Tensor& bias,
                const Tensor& residual) {
  const Images images = images_of("convolution", x);
  const Tensor y = empty_images(x[0], images.batch, out, images.height, images.width);
  if (residual.defined() && (residual.sizes() != y.sizes() || residual.scalar_type() != at::kFloat))
    refuse(residual, y);
  const Tensor added = residual.defined() ? channels_last(residual) : residual;
  const float* const added_data = added.defined() ? data<float>(added) : nullptr;
  const float* const bias_data = bias.defined() ? data<float>(bias) : nullptr;
  if (method == Method::kWinograd) {
    convolve_winograd(images.parts[0], weights, out, bias_data, added_data, y);
  } else {
    multiply(images.parts, weights, out, bias_data, added_data, y);
  }
  return y;
}

/// convolve() with a gradient in x and residual. Absent tensors are undefined.
class LaidOut : public torch::autograd::Function<LaidOut> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& x0, const c10::optional<Tensor>& x1,
                        const c10::optional<Tensor>& residual, const Tensor& weights, const Tensor& transposed,
                        const Tensor& bias, int64_t out, Method method) {
    context->save_for_backward({transposed});
    context->saved_data["method"] = static_cast<int64_t>(method);
    context->saved_data["residual"] = residual.has_value();
    context->saved_data["channels"] = std::vector<int64_t>{x0.size(1), x1 ? x1->size(1) : 0};
    const std::vector<Tensor> x = x1 ? std::vector<Tensor>{x0, *x1} : std::vector<Tensor>{x0};
    return convolve(method, x, weights, out, bias, residual.value_or(Tensor()));
  }

  static variable_list backward(AutogradContext* context, variable_list dy) {
    const auto channels = context->saved_data["channels"].toIntVector();
    const auto method = static_cast<Method>(context->saved_data["method"].toInt());
    const Tensor dx =
        convolve(method, dy[0], context->get_saved_variables()[0], channels[0] + channels[1], Tensor(), Tensor());
    return {dx.narrow(1, 0, channels[0]),
            channels[1] > 0 ? dx.narrow(1, channels[0], channels[1]) : Tensor(),
            context->saved_data["residual"].toBool() ? dy[0] : Tensor(),
            Tensor(),
            Tensor(),
            Tensor(),
            Tensor(),
            Tensor()};
  }
};

}  // namespace

/// Weights as one method wants them, and what they were made from.
struct Convolution::Layout {
  Stamp weight;
  Stamp bias;
  std::vector<int64_t> channels;  ///< of the parts of x
  Method method = Method::kOneDnn;
  Tensor weights;                           ///< of kWinograd and kPanels
  Tensor transposed;                        ///< the same for the way back, or undefined
  std::vector<PackedConvolution> packed{};  ///< of kOneDnn: one per part of x
};

Convolution::Convolution(Tensor weight, Tensor bias, int64_t stride, int64_t padding)
    : weight_(std::move(weight)), bias_(std::move(bias)), stride_(stride), padding_(padding) {}

Tensor Convolution::filters() const { return weight_.dim() == 3 ? weight_.unsqueeze(3) : weight_; }

void Convolution::lay_out(int64_t height, int64_t width, std::vector<int64_t> parts, bool gradients) {
  layout_.reset();
  const bool floats = weight_.scalar_type() == at::kFloat;
  if (!weight_.device().is_cpu() || (!floats && weight_.scalar_type() != at::kBFloat16)) return;
  const at::NoGradGuard no_grad;
  const Tensor weight = filters();
  if (parts.empty()) parts = {weight.size(1)};
  Layout layout{Stamp(weight_), Stamp(bias_), std::move(parts), Method::kOneDnn, {}, {}};
  if (floats && suits_winograd(weight, stride_, padding_, height, width)) {
    layout.method = Method::kWinograd;
    layout.weights = to_winograd(weight);
    if (gradients) layout.transposed = to_winograd(weight.flip({2, 3}).transpose(0, 1));
  } else if (floats && is_product(weight, stride_, padding_)) {
    layout.method = Method::kPanels;
    const Tensor matrix = weight.flatten(1);
    layout.weights = to_panels(matrix.t());
    if (gradients) layout.transposed = to_panels(matrix);
  } else {
    int64_t first = 0;
    for (const int64_t channels : layout.channels) {
      layout.packed.push_back(pack(weight.narrow(1, first, channels), first == 0 ? bias_ : Tensor(), stride_, padding_,
                                   {1, channels, height, width}));
      if (!layout.packed.back().ready()) return;
      first += channels;
    }
  }
  layout_ = std::make_shared<const Layout>(std::move(layout));
}

const Convolution::Layout* Convolution::layout_for(at::TensorList x, const Tensor& residual) const {
  if (!layout_ || !is_fused(layout_->method) || x[0].numel() == 0 || !(layout_->weight == Stamp(weight_)) ||
      !(layout_->bias == Stamp(bias_))) {
    return nullptr;
  }
  if (!fuses({weight_, bias_}) || x[0].scalar_type() != weight_.scalar_type() || !x[0].device().is_cpu())
    return nullptr;
  if (!layout_->transposed.defined() && !(fuses(x) && fuses(residual))) return nullptr;
  if (layout_->method == Method::kWinograd) return x.size() == 1 ? layout_.get() : nullptr;
  if (layout_->method == Method::kPanels) return layout_.get();
  if (x.size() != layout_->channels.size()) return nullptr;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (x[i].size(1) != layout_->channels[i]) return nullptr;
  }
  return layout_.get();
}

Tensor Convolution::operator()(at::TensorList x, const Tensor& residual) const {
  int64_t channels = 0;
  for (const Tensor& part : x) channels += part.dim() == 4 ? part.size(1) : 0;
  if (channels != weight_.size(1)) {
    throw ShapeError(c10::str("convolution: images with ", channels, " channels do not fit weight ", weight_.sizes()));
  }
  const Layout* const layout = layout_for(x, residual);
  if (!layout && suits_card(x)) {
    auto [y, bias] = on_card(x, /*with_bias=*/true);
    return finished(std::move(y), bias, residual);
  }
  if (!layout) return plain(x, residual);
  if (layout->method == Method::kOneDnn) {
    const Images images = images_of("convolution", x);
    Tensor y = layout->packed[0](images.parts[0]);
    for (std::size_t i = 1; i < images.parts.size(); ++i) y.add_(layout->packed[i](images.parts[i]));
    return residual.defined() ? y.add_(residual) : y;
  }
  if (fuses(x) && fuses(residual)) {
    return convolve(layout->method, x, layout->weights, weight_.size(0), bias_, residual);
  }
  return LaidOut::apply(x[0], if_defined(x.size() > 1 ? x[1] : Tensor()), if_defined(residual), layout->weights,
                        layout->transposed, bias_, weight_.size(0), layout->method);
}

std::pair<Tensor, Tensor> Convolution::without_bias(at::TensorList x) const {
  const bool waits = bias_.defined() && !layout_ && suits_card(x);
  return waits ? on_card(x, /*with_bias=*/false) : std::pair{(*this)(x), Tensor()};
}

bool Convolution::suits_card(at::TensorList x) const {
  const bool trains =
      at::GradMode::is_enabled() && (weight_.requires_grad() || (bias_.defined() && bias_.requires_grad()));
  return own_cuda_kernels() && x[0].is_cuda() && !trains && x[0].numel() > 0 &&
         x[0].scalar_type() == weight_.scalar_type();
}

std::pair<Tensor, Tensor> Convolution::on_card(at::TensorList x, bool with_bias) const {
  const Tensor weight = filters();
  constexpr auto kLast = at::MemoryFormat::ChannelsLast;
  const bool differentiable = at::GradMode::is_enabled() &&
                              std::any_of(x.begin(), x.end(), [](const Tensor& part) { return part.requires_grad(); });
  if (!is_product(weight, stride_, padding_) || differentiable) {
    return {at::conv2d(joined(x), weight, {}, {stride_, stride_}, {padding_, padding_}), bias_};
  }
  Tensor y = at::empty({x[0].size(0), weight.size(0), x[0].size(2), x[0].size(3)}, x[0].options(), kLast);
  const auto pixels = [](const Tensor& images) { return images.permute({0, 2, 3, 1}).view({-1, images.size(1)}); };
  Tensor rows = pixels(y);
  const bool adds = with_bias && bias_.defined();
  int64_t first = 0;
  for (const Tensor& part : x) {
    const Tensor columns = weight.flatten(1).narrow(1, first, part.size(1)).t(), seen = pixels(part.contiguous(kLast));
    if (first > 0) {
      rows.addmm_(seen, columns);
    } else {
      adds ? at::addmm_out(rows, bias_, seen, columns) : at::mm_out(rows, seen, columns);
    }
    first += part.size(1);
  }
  return {y, adds ? Tensor() : bias_};
}

Tensor Convolution::finished(Tensor y, const Tensor& bias, const Tensor& residual) {
  if (residual.defined() && residual.sizes() != y.sizes()) refuse(residual, y);
  if (!bias.defined() && !residual.defined()) return y;
  if (fits_card(y, bias, residual)) return sum_on_card(std::move(y), bias, residual);
  const Tensor whole = bias.defined() ? y + bias.view({-1, 1, 1}) : y;
  return residual.defined() ? whole + residual : whole;
}

Tensor Convolution::plain(at::TensorList x, const Tensor& residual) const {
  const Tensor y = frozen_conv2d(joined(x), filters(), bias_, {stride_, padding_}, turned_);
  return residual.defined() ? y + residual : y;
}

}  // namespace sextant::kernels
