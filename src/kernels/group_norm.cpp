#include <ATen/Parallel.h>
#include <c10/util/StringUtil.h>

#include "kernels/images.h"
#include "sextant/error.h"

namespace sextant::kernels {
namespace {

// Sums run in float32 over this many pixels and in float64 beyond.
constexpr int64_t kPixelsPerSum = 64;

/// One normalisation of a batch: what is measured, and the factor and offset per channel that follow from it.
struct Measured {
  int64_t chunks;      ///< per image
  at::Tensor sums;     ///< [B, chunks, 2, C] float64
  at::Tensor factors;  ///< [B, 2, C] float32: factor and offset
};

void loops(const Moments<float>& job) { simd().moments(job); }
void loops(const Moments<Bf16>& job) { simd().moments_bf16(job); }
void loops(const Affine<float>& job) { simd().affine(job); }
void loops(const Affine<Bf16>& job) { simd().affine_bf16(job); }

float to_float(float value) { return value; }
float to_float(Bf16 value) {
  const uint32_t bits = static_cast<uint32_t>(value.bits) << 16;
  float result;
  std::memcpy(&result, &bits, sizeof result);
  return result;
}

/// Sums of x - origin and of its square over pixels [first, last) of one image into sums [2, C]; the origin of a
/// channel is its first pixel.
template <class T>
void measure(const Images& x, int64_t image, int64_t first, int64_t last, double* sums) {
  std::fill_n(sums, 2 * x.channels, 0.0);
  float* const partial = scratch(2 * x.channels);
  int64_t offset = 0;
  for (const Tensor& part : x.parts) {
    const int64_t channels = part.size(1);
    const T* const origin = data<T>(part) + image * x.height * x.width * channels;
    for (int64_t pixel = first; pixel < last; pixel += kPixelsPerSum) {
      const int64_t pixels = std::min(kPixelsPerSum, last - pixel);
      loops(Moments<T>{origin + pixel * channels, origin, pixels, channels, partial, partial + channels});
      for (int64_t c = 0; c < channels; ++c) {
        sums[offset + c] += partial[c];
        sums[x.channels + offset + c] += partial[channels + c];
      }
    }
    offset += channels;
  }
}

struct Modulation {
  const float *weight, *bias, *added, *scale, *shift;  ///< the last three [B, C] or null
};

/// factor and offset [2, C] of one image from its chunks' sums.
template <class T>
void solve(const Images& x, const GroupNorm& norm, const Modulation& m, int64_t image, const double* sums,
           int64_t chunks, float* factors) {
  const int64_t C = x.channels;
  const double pixels = static_cast<double>(x.height * x.width);
  const int64_t width = C / norm.groups;
  std::vector<double> mean(C), square(C);  // of a channel, with `added`; of its deviation from the mean
  int64_t offset = 0;
  for (const Tensor& part : x.parts) {
    const T* const origin = data<T>(part) + image * x.height * x.width * part.size(1);
    for (int64_t c = 0; c < part.size(1); ++c) {
      double sum = 0;
      double squares = 0;
      for (int64_t chunk = 0; chunk < chunks; ++chunk) {
        sum += sums[chunk * 2 * C + offset + c];
        squares += sums[chunk * 2 * C + C + offset + c];
      }
      const double deviation = sum / pixels;
      mean[offset + c] = deviation + to_float(origin[c]) + (m.added ? m.added[image * C + offset + c] : 0.0f);
      square[offset + c] = std::max(0.0, squares / pixels - deviation * deviation);
    }
    offset += part.size(1);
  }
  for (int64_t group = 0; group < norm.groups; ++group) {
    const int64_t first = group * width;
    double mu = 0;
    for (int64_t c = first; c < first + width; ++c) mu += mean[c] / static_cast<double>(width);
    double variance = 0;
    for (int64_t c = first; c < first + width; ++c) {
      variance += (square[c] + (mean[c] - mu) * (mean[c] - mu)) / static_cast<double>(width);
    }
    const double inverse = 1 / std::sqrt(variance + norm.eps);
    for (int64_t c = first; c < first + width; ++c) {
      const double added = m.added ? m.added[image * C + c] : 0.0;
      const double gain = m.scale ? 1.0 + m.scale[image * C + c] : 1.0;
      const double shift = m.shift ? m.shift[image * C + c] : 0.0;
      factors[c] = static_cast<float>(inverse * m.weight[c] * gain);
      factors[C + c] = static_cast<float>(((added - mu) * inverse * m.weight[c] + m.bias[c]) * gain + shift);
    }
  }
}

template <class T>
void apply(const Images& x, const GroupNorm& norm, int64_t image, int64_t first_row, int64_t last_row,
           const float* factors, const Tensor& y) {
  int64_t offset = 0;
  T* const image_y = mutable_data<T>(y) + image * y.size(2) * y.size(3) * x.channels;
  for (const Tensor& part : x.parts) {
    const int64_t channels = part.size(1);
    const T* const image_x = data<T>(part) + image * x.height * x.width * channels;
    loops(Affine<T>{image_x, factors + offset, factors + x.channels + offset, image_y + offset, x.channels, channels,
                    x.width, first_row, last_row, norm.silu, static_cast<Pixels>(norm.resampling)});
    offset += channels;
  }
}

template <class T>
void fused(const Images& x, const GroupNorm& norm, const Modulation& m, const Tensor& y) {
  const int64_t pixels = x.height * x.width;
  const int64_t rows = norm.resampling == Resampling::kHalve ? x.height / 2 : x.height;
  const int64_t threads = at::get_num_threads();
  if (x.batch >= 4 * threads || x.batch % threads == 0) {  // whole images: the second pass finds them in the cache
    at::parallel_for(0, x.batch, 1, [&](int64_t begin, int64_t end) {
      std::vector<double> sums(2 * x.channels);
      std::vector<float> factors(2 * x.channels);
      for (int64_t image = begin; image < end; ++image) {
        measure<T>(x, image, 0, pixels, sums.data());
        solve<T>(x, norm, m, image, sums.data(), 1, factors.data());
        apply<T>(x, norm, image, 0, rows, factors.data(), y);
      }
    });
    return;
  }
  const int64_t chunks = std::min(threads, rows);
  std::vector<double> sums(x.batch * chunks * 2 * x.channels);
  std::vector<float> factors(x.batch * 2 * x.channels);
  at::parallel_for(0, x.batch * chunks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t chunk = task % chunks;
      measure<T>(x, task / chunks, pixels * chunk / chunks, pixels * (chunk + 1) / chunks,
                 &sums[task * 2 * x.channels]);
    }
  });
  for (int64_t image = 0; image < x.batch; ++image) {
    solve<T>(x, norm, m, image, &sums[image * chunks * 2 * x.channels], chunks, &factors[image * 2 * x.channels]);
  }
  at::parallel_for(0, x.batch * chunks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t image = task / chunks;
      const int64_t chunk = task % chunks;
      apply<T>(x, norm, image, rows * chunk / chunks, rows * (chunk + 1) / chunks, &factors[image * 2 * x.channels], y);
    }
  });
}

void check(const char* caller, at::TensorList x, const GroupNorm& norm) {
  int64_t channels = 0;
  for (const Tensor& part : x) channels += part.dim() == 4 ? part.size(1) : 0;
  const std::vector<int64_t> per_image = {x.empty() ? 0 : x[0].size(0), channels};
  bool fits = norm.groups > 0 && channels > 0 && channels % norm.groups == 0 && norm.weight.numel() == channels &&
              norm.bias.numel() == channels && norm.scale.defined() == norm.shift.defined();
  for (const Tensor& tensor : {norm.added, norm.scale, norm.shift}) {
    fits = fits && (!tensor.defined() || tensor.sizes() == per_image);
  }
  if (!fits) {
    throw ShapeError(c10::str(caller, ": ", channels, " channels do not fit ", norm.groups, " groups, weight ",
                              norm.weight.sizes(), " and modulation ",
                              norm.scale.defined()   ? norm.scale.sizes()
                              : norm.added.defined() ? norm.added.sizes()
                                                     : at::IntArrayRef{}));
  }
}

int64_t resized(int64_t size, Resampling resampling) {
  return resampling == Resampling::kHalve ? size / 2 : resampling == Resampling::kDouble ? size * 2 : size;
}

Tensor resampled_plain(const Tensor& x, Resampling resampling) {
  if (resampling == Resampling::kHalve) return at::avg_pool2d(x, 2);
  if (resampling == Resampling::kDouble) return at::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)});
  return x;
}

Tensor per_channel(const Tensor& tensor) { return tensor.unsqueeze(2).unsqueeze(3); }

}  // namespace

Tensor group_norm(at::TensorList x, const GroupNorm& norm) {
  check("group_norm", x, norm);
  if (!fuses(x) || !fuses({norm.weight, norm.bias, norm.added, norm.scale, norm.shift}) || x[0].numel() == 0) {
    return group_norm_plain(x, norm);
  }
  const Images images = images_of("group_norm", x);
  Tensor keep[5];
  const Modulation modulation{floats_or_null(norm.weight, keep[0]), floats_or_null(norm.bias, keep[1]),
                              floats_or_null(norm.added, keep[2]), floats_or_null(norm.scale, keep[3]),
                              floats_or_null(norm.shift, keep[4])};
  const Tensor y = empty_images(x[0], images.batch, images.channels, resized(images.height, norm.resampling),
                                resized(images.width, norm.resampling));
  x[0].scalar_type() == at::kFloat ? fused<float>(images, norm, modulation, y)
                                   : fused<Bf16>(images, norm, modulation, y);
  return y;
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
  return resampled_plain(h, norm.resampling).to(type);
}

Tensor resample(const Tensor& x, Resampling resampling) {
  const Images images = images_of("resample", x);
  if (resampling == Resampling::kKeep || !fuses(x) || x.numel() == 0) return resampled_plain(x, resampling);
  const Tensor y = empty_images(x, images.batch, images.channels, resized(images.height, resampling),
                                resized(images.width, resampling));
  std::vector<float> factors(2 * images.channels, 1.0f);  // times 1, plus 0
  std::fill_n(factors.begin() + images.channels, images.channels, 0.0f);
  GroupNorm as_is;
  as_is.resampling = resampling;
  const int64_t rows = resampling == Resampling::kHalve ? images.height / 2 : images.height;
  at::parallel_for(0, images.batch * rows, std::max<int64_t>(1, 4096 / images.width), [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end;) {
      const int64_t image = task / rows, first = task % rows, last = std::min(rows, first + end - task);
      x.scalar_type() == at::kFloat ? apply<float>(images, as_is, image, first, last, factors.data(), y)
                                    : apply<Bf16>(images, as_is, image, first, last, factors.data(), y);
      task += last - first;
    }
  });
  return y;
}

}  // namespace sextant::kernels
