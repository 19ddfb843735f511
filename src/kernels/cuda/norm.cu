#include "cuda/launch.h"
#include "cuda/norm.h"

namespace sextant::kernels::cuda {
namespace {

template <class T, int kWidth>
Parts<T, kWidth> parts(const NormImages& x) {
  return {static_cast<const T*>(x.first), static_cast<const T*>(x.second), x.first_channels, x.channels, x.pixels};
}

template <class M>
bool affine_of(const Moments* channel, const NormGiven& norm, Affines affine, const NormImages& x, void* stream) {
  const NormParameters<M> parameters = {norm.weight,
                                        norm.bias,
                                        static_cast<const M*>(norm.added),
                                        static_cast<const M*>(norm.scale),
                                        static_cast<const M*>(norm.shift),
                                        norm.groups,
                                        norm.added_stride,
                                        norm.scale_stride,
                                        norm.eps,
                                        norm.silu};
  return launch(x.batch * x.channels, GroupAffine<M>{channel, affine, parameters, x.channels}, stream);
}

template <class T, int kWidth>
bool resized_by(const NormImages& x, Affines affine, bool silu, Resized resized, int64_t width, T* y, void* stream) {
  const bool doubles = resized == Resized::kDoubled;
  const int64_t pixels = doubles ? x.pixels : x.pixels / 4;
  const Resampled<T, kWidth> body = {parts<T, kWidth>(x), affine, y, doubles ? width : width / 2, silu, doubles};
  return launch(x.batch * pixels * x.channels / kWidth, body, stream);
}

template <class T, int kWidth>
bool forward(const NormImages& x, const NormGiven& norm, Moments* room, Affines affine, Resized resized, int64_t width,
             T* y, void* stream) {
  const int64_t channels = x.batch * x.channels, packs = channels / kWidth;
  Moments* const chunk = room;
  Moments* const channel = room + channels * x.chunks();
  const bool moments = launch(packs * x.chunks(), ChunkMoments<T, kWidth>{parts<T, kWidth>(x), chunk}, stream) &&
                       launch(channels, ChannelMoments{chunk, channel, x.chunks(), x.channels}, stream) &&
                       (norm.like_images ? affine_of<T>(channel, norm, affine, x, stream)
                                         : affine_of<float>(channel, norm, affine, x, stream));
  if (!moments) return false;
  if (resized != Resized::kKept) return resized_by<T, kWidth>(x, affine, norm.silu, resized, width, y, stream);
  return launch(packs * row_groups(x.pixels), Normalised<T, kWidth>{parts<T, kWidth>(x), affine, y, norm.silu}, stream);
}

template <class T, int kWidth>
bool backward(const NormImages& x, int64_t groups, bool silu, Affines affine, const T* dy, Sums* room, T* first,
              T* second, void* stream) {
  const int64_t channels = x.batch * x.channels, packs = channels / kWidth;
  Sums* const chunk = room;
  Sums* const channel = chunk + channels * x.chunks();
  Sums* const group = channel + channels;
  return launch(packs * x.chunks(), ChunkSums<T, kWidth>{parts<T, kWidth>(x), dy, affine, chunk, silu}, stream) &&
         launch(channels, ChannelSums{chunk, channel, x.chunks(), x.channels}, stream) &&
         launch(channels, GroupSums{channel, affine, group, x.channels, groups, x.pixels}, stream) &&
         launch(packs * row_groups(x.pixels),
                Gradient<T, kWidth>{parts<T, kWidth>(x), dy, affine, group, first, second, silu}, stream);
}

bool aligned(const void* pointer) { return reinterpret_cast<uintptr_t>(pointer) % 16 == 0; }

}  // namespace

bool NormImages::wide() const {
  const int64_t width = width_of(number);
  return channels % width == 0 && first_channels % width == 0 && aligned(first) && aligned(second);
}

int norm_forward(const NormImages& x, const NormGiven& norm, Moments* room, float* affine, Resized resized,
                 int64_t width, void* y, void* stream) {
  return for_numbers(x.number, x.wide() && aligned(y), [&](auto one, auto pack) {
    using T = decltype(one);
    const Affines affines = {affine, x.batch * x.channels};
    return answer(forward<T, pack()>(x, norm, room, affines, resized, width, static_cast<T*>(y), stream));
  });
}

int resample(const NormImages& x, Resized resized, int64_t width, void* y, void* stream) {
  return for_numbers(x.number, x.wide() && aligned(y), [&](auto one, auto pack) {
    using T = decltype(one);
    return answer(resized_by<T, pack()>(x, {nullptr, 0}, false, resized, width, static_cast<T*>(y), stream));
  });
}

int norm_backward(const NormImages& x, int64_t groups, bool silu, float* affine, const void* dy, Sums* room,
                  void* first, void* second, void* stream) {
  const bool wide = x.wide() && aligned(dy) && aligned(first) && aligned(second);
  return for_numbers(x.number, wide, [&](auto one, auto pack) {
    using T = decltype(one);
    const Affines affines = {affine, x.batch * x.channels};
    return answer(backward<T, pack()>(x, groups, silu, affines, static_cast<const T*>(dy), room, static_cast<T*>(first),
                                      static_cast<T*>(second), stream));
  });
}

}  // namespace sextant::kernels::cuda
