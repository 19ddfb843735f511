#include "internal/kernels/attention.h"

#include <ATen/Parallel.h>
#include <c10/util/StringUtil.h>

#include "images.h"
#include "internal/kernels/fused.h"
#include "internal/runtime/libtorch.h"
#include "panels.h"
#include "sextant/runtime/error.h"

namespace sextant::kernels {
namespace {

template <class T>
void fused(const Tensor& q, const Tensor& k, const Tensor& v, float scale, const Tensor& y) {
  const int64_t heads = q.size(1), queries = q.size(2), depth = q.size(3), keys = k.size(2);
  const int64_t panel = simd().panel;
  const int64_t pairs = q.size(0) * heads;
  // Few heads are shared by several threads, each with its own copy of the keys.
  const int64_t shares = std::min(queries, (at::get_num_threads() + pairs - 1) / pairs);
  const int64_t rows = simd().rows;
  const int64_t k_size = depth * in_panels(keys), v_size = keys * in_panels(depth);
  const int64_t most = (queries + shares - 1) / shares;
  at::parallel_for(0, pairs * shares, 1, [&](int64_t begin, int64_t end) {
    float* const k_panels = scratch(k_size + v_size + most * depth * 2 + rows * (in_strips(depth) + in_strips(keys)));
    float* const v_panels = k_panels + k_size;
    float* const q_rows = v_panels + v_size;
    float* const y_rows = q_rows + most * depth;
    float* const rest = y_rows + most * depth;
    for (int64_t task = begin; task < end; ++task) {
      const int64_t image = task / shares / heads, head = task / shares % heads;
      const int64_t first = queries * (task % shares) / shares, last = queries * (task % shares + 1) / shares;
      const auto of_head = [&](const Tensor& x) { return data<T>(x) + image * x.stride(0) + head * x.stride(1); };
      to_panels(of_head(k), depth, keys, k.stride(3), k.stride(2), panel, 1.0f, k_panels);
      to_panels(of_head(v), keys, depth, v.stride(2), v.stride(3), panel, 1.0f, v_panels);
      to_panels(of_head(q) + first * q.stride(2), last - first, depth, q.stride(2), q.stride(3), depth, scale, q_rows);
      simd().attention({q_rows, k_panels, v_panels, y_rows, last - first, keys, depth, depth, rest});
      T* const out = mutable_data<T>(y) + (image * queries + first) * heads * depth + head * depth;
      for (int64_t row = 0; row < last - first; ++row) {
        for (int64_t i = 0; i < depth; ++i) out[row * heads * depth + i] = static_cast<T>(y_rows[row * depth + i]);
      }
    }
  });
}

void check(const Tensor& q, const Tensor& k, const Tensor& v) {
  const bool fits = q.dim() == 4 && k.dim() == 4 && k.sizes() == v.sizes() && q.size(0) == k.size(0) &&
                    q.size(1) == k.size(1) && q.size(3) == k.size(3) && k.size(2) > 0;
  if (!fits) {
    throw ShapeError(c10::str("attention: expected q [B, heads, T, D] and k, v [B, heads, S, D], got ", q.sizes(), ", ",
                              k.sizes(), " and ", v.sizes()));
  }
}

/// Attention of single operations, which carry gradients.
Tensor composed(const Tensor& q, const Tensor& k, const Tensor& v, double scale,
                Tensor (*product)(const Tensor&, const Tensor&)) {
  // Half of the scale on each side: in float16 the product of the unscaled ones may overflow.
  const double half = std::sqrt(scale);
  const Tensor scores = product(q * half, (k * half).transpose(2, 3));
  const Tensor weights = at::softmax(scores, 3, scores.scalar_type() == at::kDouble ? at::kDouble : at::kFloat);
  const Tensor y = product(weights.to(scores.scalar_type()), v);
  return y.transpose(1, 2).reshape({q.size(0), q.size(2), q.size(1) * q.size(3)});
}

#if SEXTANT_TORCH_HAS_ATTENTION
/// libtorch's flash and memory-efficient kernels take rows of numbers that lie side by side.
Tensor in_rows(const Tensor& x) { return x.stride(3) == 1 ? x : x.contiguous(); }
#endif

}  // namespace

Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v, double scale) {
  check(q, k, v);
  const bool some = q.numel() > 0 && is_fused(Fused::kAttention);
  if (some && fuses({q, k, v})) {
    const Tensor y = at::empty({q.size(0), q.size(2), q.size(1) * q.size(3)}, q.options());
    q.scalar_type() == at::kFloat ? fused<float>(q, k, v, static_cast<float>(scale), y)
                                  : fused<at::BFloat16>(q, k, v, static_cast<float>(scale), y);
    return y;
  }
  if (q.is_cuda()) return attention_of_libtorch(q, k, v, scale);
  const bool floats = q.device().is_cpu() && q.scalar_type() == at::kFloat && k.scalar_type() == at::kFloat &&
                      v.scalar_type() == at::kFloat;
  return some && floats ? composed(q, k, v, scale, matrix_product) : attention_plain(q, k, v, scale);
}

Tensor attention_of_libtorch(const Tensor& q, const Tensor& k, const Tensor& v, double scale) {
#if SEXTANT_TORCH_HAS_ATTENTION
  check(q, k, v);
  const Tensor y = at::scaled_dot_product_attention(in_rows(q), in_rows(k), in_rows(v), {}, 0.0, false, scale);
  return y.transpose(1, 2).reshape({q.size(0), q.size(2), q.size(1) * q.size(3)});
#else
  return attention_plain(q, k, v, scale);
#endif
}

Tensor attention_plain(const Tensor& q, const Tensor& k, const Tensor& v, double scale) {
  check(q, k, v);
  return composed(q, k, v, scale, at::matmul);
}

}  // namespace sextant::kernels
