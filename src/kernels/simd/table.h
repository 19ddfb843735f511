// The innermost loops, once per instruction set: `simd()` is the table of those that this processor runs fastest. Plain
// pointers and sizes only; shapes are checked, threads started and memory owned by the functions of
// internal/kernels/*.h.
//
// Images are rows of channels ("channels last"): pixel p of a picture starts at p * channels.
#pragma once

#include <cstdint>

#include "internal/kernels/resampling.h"

namespace sextant::kernels {

/// A bfloat16: the upper half of a float32.
struct Bf16 {
  uint16_t bits;
};

/// Depth of a strip: the left matrix of a product is stored as [strip][row][kStrip], so that its rows lie at distances
/// known to the compiler. The last strip may be partly used.
inline constexpr int64_t kStrip = 64;

constexpr int64_t in_strips(int64_t depth) { return (depth + kStrip - 1) / kStrip * kStrip; }

/// y [rows, columns] = [a0 a1] b (+ bias) (+ residual), where a0 and a1 stand side by side. T is float or double.
template <class T>
struct Gemm {
  const T* a[2];  ///< [rows][depth] each, rows at distance a_stride; the second may be null
  int64_t depth[2];
  int64_t a_stride[2];
  const T* b;         ///< panels: [ceil(columns / panel)][depth0 + depth1][panel], padded with zeros
  const T* bias;      ///< [columns] or null
  const T* residual;  ///< like y, which it may be; or null
  T* y;               ///< rows at distance `columns`
  int64_t rows, columns;
  int64_t first_panel, last_panel;  ///< of the columns
  T* scratch;                       ///< rows * (in_strips(depth0) + in_strips(depth1)) numbers
};

/// y [rows][columns] = x w^T (+ bias) as dot products; for few rows.
struct Dots {
  const float* x;     ///< [rows][depth]
  const float* w;     ///< [columns][depth]
  const float* bias;  ///< [columns] or null
  float* y;           ///< rows at distance y_stride
  int64_t rows, columns, depth, y_stride;
};

/// Sums of x - origin and of its square, per channel, over consecutive pixels.
template <class T>
struct Moments {
  const T* x;
  const T* origin;  ///< [channels]: numbers near the mean, against cancellation
  int64_t pixels, channels;
  float* sum;      ///< [channels]
  float* squares;  ///< [channels]
};

/// y = f(x * factor + offset) per channel, f the identity or SiLU, then resampled.
template <class T>
struct Affine {
  const T* x;           ///< one picture, [height][width][channels]
  const float* factor;  ///< [channels]
  const float* offset;  ///< [channels]
  T* y;                 ///< the picture that results, pixels at distance y_stride
  int64_t y_stride;
  int64_t channels;
  int64_t width;                ///< of x
  int64_t first_row, last_row;  ///< of x; of y for kHalve
  bool silu;
  Resampling resampling;
};

/// The gradient of an Affine at one row of x, up to its statistics: dz = f'(z) dy carried back through the resampling,
/// and per channel the sums of dz and of dz (x - centre).
template <class T>
struct AffineGradient {
  const T* x;   ///< one picture
  const T* dy;  ///< of the picture that results, pixels at distance dy_stride
  T* dz;        ///< like x
  int64_t dy_stride;
  const float* factor;  ///< [channels]
  const float* offset;  ///< [channels]
  const float* centre;  ///< [channels]
  int64_t channels, height, width;
  int64_t row;
  bool silu;
  Resampling resampling;
  float* sum;       ///< [channels]
  float* weighted;  ///< [channels]
};

/// dz = factor dz + slope (x - centre) + shift, per channel.
template <class T>
struct Combination {
  T* dz;                                         ///< [pixels][channels]
  const T* x;                                    ///< likewise
  const float *factor, *slope, *centre, *shift;  ///< [channels]
  int64_t pixels, channels;
};

/// A block of tiles of a 3x3 convolution, stride 1, padding 1, as Winograd's F(2x2, 3x3): each 2x2 tile of the output
/// from the 4x4 pixels around it. Tiles are counted over the whole batch.
struct Winograd {
  const float* x;         ///< [batch, height, width, in]
  const float* weight;    ///< [panels of out][16][in][panel], padded with zeros
  const float* bias;      ///< [out] or null
  const float* residual;  ///< like y, added to it; or null
  float* y;               ///< [batch, height, width, out]
  int64_t height, width;
  int64_t in, out;  ///< multiples of 16
  int64_t first_tile, last_tile;
  int64_t first_panel, last_panel;  ///< of the output's channels
  const float* zeros;               ///< [in] zeros
  float* transformed;               ///< scratch: 16 * (tiles * in_strips(in) + kStagger) floats
  float* products;                  ///< scratch: 16 * (tiles * panel + kStagger) floats
};
/// The points of a scratch array lie so many floats further apart than their data needs: 16 streams at a distance of a
/// power of two would share one set of the first-level cache.
inline constexpr int64_t kStagger = 16;

/// softmax(q k^T) v for some queries of one head.
struct Attention {
  const float* q;  ///< [queries][depth], scaled
  const float* k;  ///< panels of keys: [ceil(keys / panel)][depth][panel]
  const float* v;  ///< panels of depth: [ceil(depth / panel)][keys][panel]
  float* y;        ///< [queries][depth] at distance y_stride
  int64_t queries, keys, depth, y_stride;
  float* scratch;  ///< rows * (in_strips(depth) + in_strips(keys)) floats
};

/// x = act(x + residual), act the softplus of activation.h for beta > 0 and ReLU for beta = 0.
template <class T>
struct ActivationForward {
  T* x;
  const T* residual;  ///< or null
  int64_t count;
  float beta;
};

/// gradient = incoming act'(.), which is a function of y = act(.) alone: 1 - exp(-beta y), or [y > 0] for ReLU.
template <class T>
struct ActivationBackward {
  T* gradient;
  const T* incoming;
  const T* y;
  int64_t count;
  float beta;
};

struct Simd {
  const char* name;
  int64_t rows;   ///< of a block that stays in registers; a Gemm's rows should be a multiple
  int64_t panel;  ///< columns of float32 that are computed together; of float64 half as many
  void (*gemm)(const Gemm<float>&);
  void (*gemm_f64)(const Gemm<double>&);
  void (*dots)(const Dots&);
  void (*moments)(const Moments<float>&);
  void (*moments_bf16)(const Moments<Bf16>&);
  void (*affine)(const Affine<float>&);
  void (*affine_bf16)(const Affine<Bf16>&);
  void (*affine_gradient)(const AffineGradient<float>&);
  void (*affine_gradient_bf16)(const AffineGradient<Bf16>&);
  void (*combination)(const Combination<float>&);
  void (*combination_bf16)(const Combination<Bf16>&);
  void (*winograd)(const Winograd&);
  void (*attention)(const Attention&);
  void (*activation_forward)(const ActivationForward<float>&);
  void (*activation_forward_bf16)(const ActivationForward<Bf16>&);
  void (*activation_backward)(const ActivationBackward<float>&);
  void (*activation_backward_bf16)(const ActivationBackward<Bf16>&);
};

/// The loops for this processor, for every module; SEXTANT_SIMD=baseline|avx2|avx512 in the environment picks an older
/// set.
const Simd& simd();

}  // namespace sextant::kernels
