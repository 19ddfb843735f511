#include "sextant/runtime/noise.h"

#include <ATen/Parallel.h>

#include "internal/runtime/cuda.h"
#include "internal/runtime/libtorch.h"
#include "internal/runtime/philox.h"
#include "sextant/runtime/error.h"
#if defined(SEXTANT_CUDA)
#include <c10/core/DeviceGuard.h>

#include "cuda/noise.h"
#endif

namespace sextant {
namespace {

void fill_normal(float* out, int64_t count, uint64_t key, uint64_t draw) {
  for (int64_t i = 0; 4 * i < count; ++i) philox::four_normals(out, count, i, key, draw);
}

void fill_uniform(float* out, int64_t count, uint64_t key, uint64_t draw) {
  for (int64_t i = 0; 4 * i < count; ++i) philox::four_uniforms(out, count, i, key, draw);
}

#if defined(SEXTANT_CUDA)
using FillOnCard = int(float* out, const int64_t* samples, int64_t n, int64_t count, uint64_t seed, uint64_t draw,
                       void* stream);

/// The same numbers, made on the card.
Tensor made_on_card(FillOnCard* fill, const SampleIds& ids, std::vector<int64_t> shape, at::Device device,
                    uint64_t draw) {
  const c10::DeviceGuard guard(device);
  const auto n = static_cast<int64_t>(ids.samples.size());
  const Tensor numbers = at::empty({n}, at::TensorOptions(at::kLong).pinned_memory(true));
  std::copy(ids.samples.begin(), ids.samples.end(), numbers.data_ptr<int64_t>());
  const Tensor samples = numbers.to(device, at::kLong, /*non_blocking=*/true);
  shape.insert(shape.begin(), n);
  Tensor result = at::empty(shape, at::TensorOptions(at::kFloat).device(device));
  const int error = fill(result.data_ptr<float>(), samples.data_ptr<int64_t>(), n, n > 0 ? result.numel() / n : 0,
                         ids.seed, draw, libtorch::stream_of(device));
  if (error != 0) throw Error("noise: the card refused to make it, CUDA error " + std::to_string(error));
  return result;
}
#endif

}  // namespace

Noise::Noise(uint64_t seed, std::vector<int64_t> samples, std::vector<int64_t> shape, at::Device device)
    : ids_{seed, std::move(samples), std::nullopt}, shape_(std::move(shape)), device_(device) {}

Tensor Noise::normal(uint64_t draw) const {
#if defined(SEXTANT_CUDA)
  if (device_.is_cuda() && own_cuda_kernels()) return made_on_card(cuda::fill_normal, ids_, shape_, device_, draw);
#endif
  return filled(fill_normal, draw);
}

Tensor Noise::uniform(uint64_t draw) const {
#if defined(SEXTANT_CUDA)
  if (device_.is_cuda() && own_cuda_kernels()) return made_on_card(cuda::fill_uniform, ids_, shape_, device_, draw);
#endif
  return filled(fill_uniform, draw);
}

Tensor Noise::filled(void (*fill)(float*, int64_t, uint64_t, uint64_t), uint64_t draw) const {
  std::vector<int64_t> shape = shape_;
  const auto samples = static_cast<int64_t>(ids_.samples.size());
  shape.insert(shape.begin(), samples);
  // From pinned memory a GPU fetches the numbers by itself, while this thread goes on.
  const Tensor result = at::empty(shape, at::TensorOptions(at::kFloat).pinned_memory(device_.is_cuda()));
  const int64_t per_sample = samples == 0 ? 0 : result.numel() / samples;
  float* data = result.data_ptr<float>();
  at::parallel_for(0, samples, 1, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      fill(data + n * per_sample, per_sample, philox::stream_key(ids_.seed, ids_.samples[static_cast<std::size_t>(n)]),
           draw);
    }
  });
  return result.to(device_, at::kFloat, /*non_blocking=*/device_.is_cuda());
}

Tensor uniform_labels(uint64_t seed, const std::vector<int64_t>& samples, int64_t bound) {
  if (bound < 1 || bound > int64_t{1} << 32) {
    throw UsageError(c10::str("uniform_labels: expected a bound from 1 to 2^32, got ", bound));
  }
  const Tensor labels = at::empty({static_cast<int64_t>(samples.size())}, at::kLong);
  int64_t* data = labels.data_ptr<int64_t>();
  for (std::size_t n = 0; n < samples.size(); ++n) {
    // A draw number no trajectory reaches.
    const philox::Block bits = philox::block({{0, 0, 0xFFFFFFFF, 0xFFFFFFFF}}, philox::stream_key(seed, samples[n]));
    data[n] = static_cast<int64_t>((uint64_t{bits.word[0]} * static_cast<uint64_t>(bound)) >> 32);
  }
  return labels;
}

}  // namespace sextant
