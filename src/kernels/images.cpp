#include "images.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <c10/util/StringUtil.h>

#include "sextant/runtime/error.h"

namespace sextant::kernels {

bool fuses(at::TensorList tensors) {
  for (const Tensor& tensor : tensors) {
    if (!tensor.defined()) continue;
    if (!tensor.device().is_cpu() || tensor.layout() != at::kStrided) return false;
    if (tensor.scalar_type() != at::kFloat && tensor.scalar_type() != at::kBFloat16) return false;
    if (at::GradMode::is_enabled() && tensor.requires_grad()) return false;
  }
  return true;
}

Images images_of(const char* caller, at::TensorList x) {
  Images images{{}, 0, 0, 0, 0};
  if (x.empty() || x.size() > 2) throw ShapeError(c10::str(caller, ": expected one or two images, got ", x.size()));
  for (const Tensor& part : x) {
    const bool fits = part.dim() == 4 &&
                      (images.parts.empty() ||
                       (part.size(0) == images.batch && part.size(2) == images.height && part.size(3) == images.width));
    if (!fits || part.scalar_type() != x[0].scalar_type()) {
      throw ShapeError(c10::str(caller, ": expected images [B, C, H, W] that differ in C only, got ", x[0].sizes(),
                                " and ", part.sizes()));
    }
    images.parts.push_back(channels_last(part));
    images.batch = part.size(0);
    images.channels += part.size(1);
    images.height = part.size(2);
    images.width = part.size(3);
  }
  return images;
}

Tensor channels_last(const Tensor& x) {
  const Tensor y = x.contiguous(kChannelsLast);
  const int64_t C = x.size(1), H = x.size(2), W = x.size(3);
  // One channel lies the same way in both orders: say which one is meant, or libtorch takes the other.
  return y.suggest_memory_format() == kChannelsLast ? y : y.as_strided(y.sizes(), {C * H * W, 1, C * W, C});
}

Tensor joined(at::TensorList x) { return x.size() == 1 ? x[0] : at::cat(x, 1); }

Tensor empty_images(const Tensor& like, int64_t batch, int64_t channels, int64_t height, int64_t width) {
  return at::empty({batch, channels, height, width}, like.options().memory_format(kChannelsLast));
}

bool has_loop(const Tensor& x) {
  return x.device().is_cpu() && x.numel() > 0 && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16);
}

c10::optional<Tensor> if_defined(const Tensor& tensor) {
  return tensor.defined() ? c10::optional<Tensor>(tensor) : c10::nullopt;
}

int64_t split_evenly(int64_t wanted, int64_t most) {
  const int64_t threads = at::get_num_threads();
  if (wanted >= threads && wanted < 8 * threads) wanted = (wanted + threads - 1) / threads * threads;
  return std::min(wanted, most);
}

void* scratch_bytes(int64_t bytes) {
  thread_local Tensor buffer;
  if (!buffer.defined() || buffer.numel() < bytes) buffer = at::empty({bytes}, at::kByte);
  return buffer.data_ptr();
}

const float* floats_or_null(const Tensor& tensor, Tensor& keep) {
  if (!tensor.defined()) return nullptr;
  keep = tensor.to(at::kFloat).contiguous();
  return keep.data_ptr<float>();
}

}  // namespace sextant::kernels
