#include <c10/util/StringUtil.h>

#include "kernels/images.h"
#include "kernels/onednn.h"
#include "kernels/panels.h"
#include "kernels/winograd.h"
#include "sextant/error.h"

namespace sextant::kernels {

/// Weights as one method wants them, and what they were made from.
struct Convolution::Layout {
  enum class Method { kWinograd, kPanels, kOneDnn } method;
  Tensor weights;                        ///< of kWinograd and kPanels
  std::vector<PackedConvolution> parts;  ///< of kOneDnn: one per part of the input
  std::vector<int64_t> channels;         ///< of the parts
  const void* source;
  uint32_t version;
};

namespace {

uint32_t version_of(const Tensor& tensor) { return static_cast<uint32_t>(tensor._version()); }

/// Large weights are worth transforming for large pictures only: at few tiles the time goes into reading them, and
/// transformed ones are larger by 16/9.
bool suits_winograd(const Tensor& weight, int64_t stride, int64_t padding, int64_t height, int64_t width) {
  constexpr int64_t kVectors = 16;
  return weight.size(2) == 3 && weight.size(3) == 3 && stride == 1 && padding == 1 && weight.size(0) % kVectors == 0 &&
         weight.size(1) % kVectors == 0 && (height * width >= 256 || weight.size(0) * weight.size(1) <= 1 << 16);
}

}  // namespace

Convolution::Convolution(Tensor weight, Tensor bias, int64_t stride, int64_t padding)
    : weight_(std::move(weight)), bias_(std::move(bias)), stride_(stride), padding_(padding) {}

Tensor Convolution::filters() const { return weight_.dim() == 3 ? weight_.unsqueeze(3) : weight_; }

void Convolution::lay_out(int64_t height, int64_t width, std::vector<int64_t> parts) {
  layout_.reset();
  if (!weight_.device().is_cpu() || at::globalContext().userEnabledMkldnn() == false) return;
  if (weight_.scalar_type() != at::kFloat && weight_.scalar_type() != at::kBFloat16) return;
  const at::NoGradGuard no_grad;
  const Tensor weight = filters();
  if (parts.empty()) parts = {weight.size(1)};
  Layout layout{Layout::Method::kOneDnn, {}, {}, parts, weight_.data_ptr(), version_of(weight_)};
  const bool single = weight.scalar_type() == at::kFloat;
  if (single && suits_winograd(weight, stride_, padding_, height, width)) {
    layout.method = Layout::Method::kWinograd;
    layout.weights = to_winograd(weight);
  } else if (single && weight.size(2) == 1 && weight.size(3) == 1 && stride_ == 1 && padding_ == 0) {
    layout.method = Layout::Method::kPanels;
    layout.weights = to_panels(weight.contiguous().view({weight.size(0), weight.size(1)}));
  } else {
    int64_t first = 0;
    for (const int64_t channels : parts) {
      layout.parts.push_back(pack(weight.narrow(1, first, channels), first == 0 ? bias_ : Tensor(), stride_, padding_,
                                  {1, channels, height, width}));
      if (!layout.parts.back().ready()) return;
      first += channels;
    }
  }
  layout_ = std::make_shared<const Layout>(std::move(layout));
}

const Convolution::Layout* Convolution::layout_for(at::TensorList x) const {
  if (!layout_ || !fuses(x) || !fuses({weight_, bias_}) || x[0].scalar_type() != weight_.scalar_type()) return nullptr;
  if (weight_.data_ptr() != layout_->source || version_of(weight_) != layout_->version) return nullptr;
  if (layout_->method == Layout::Method::kWinograd) return x.size() == 1 ? layout_.get() : nullptr;
  if (layout_->method == Layout::Method::kPanels) return layout_.get();
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
  const Layout* const layout = x[0].numel() > 0 && fuses(residual) ? layout_for(x) : nullptr;
  if (!layout) return plain(x, residual);
  const Images images = images_of("convolution", x);
  if (layout->method == Layout::Method::kOneDnn) {
    Tensor y = layout->parts[0](images.parts[0]);
    for (std::size_t i = 1; i < images.parts.size(); ++i) y.add_(layout->parts[i](images.parts[i]));
    return residual.defined() ? y.add_(residual) : y;
  }
  Tensor keep;
  const float* const bias = floats_or_null(bias_, keep);
  const Tensor added = residual.defined() ? residual.contiguous(kChannelsLast) : residual;
  const Tensor y = empty_images(x[0], images.batch, weight_.size(0), images.height, images.width);
  if (added.defined() && (added.sizes() != y.sizes() || added.scalar_type() != at::kFloat)) {
    throw ShapeError(c10::str("convolution: residual ", added.sizes(), " does not fit the result ", y.sizes()));
  }
  const float* const added_data = added.defined() ? data<float>(added) : nullptr;
  if (layout->method == Layout::Method::kWinograd) {
    convolve_winograd(images.parts[0], layout->weights, weight_.size(0), bias, added_data, y);
  } else {
    multiply(images.parts, layout->weights, weight_.size(0), bias, added_data, y);
  }
  return y;
}

Tensor Convolution::plain(at::TensorList x, const Tensor& residual) const {
  const Tensor y = at::conv2d(joined(x), filters(), bias_, stride_, padding_);
  return residual.defined() ? y + residual : y;
}

}  // namespace sextant::kernels
