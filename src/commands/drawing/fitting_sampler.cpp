#include "drawing/fitting_sampler.h"

#include <algorithm>

#include "drawing/identity.h"
#include "sextant/runtime/device.h"
#include "sextant/runtime/error.h"

namespace sextant::commands {
namespace {

int64_t unit_of(const GuidanceSettings& guidance) {
  switch (coupling_of(guidance)) {
    case Coupling::kNone:
      return 1;
    case Coupling::kGroups:
      return guidance.guide.tilt_group;
    default:
      return 0;
  }
}

std::string images_at_a_time(int64_t n) { return std::to_string(n) + (n == 1 ? " image" : " images") + " at a time"; }

}  // namespace

FittingSampler::FittingSampler(BatchSampler& sampler, const SampleConfig& config, Progress& progress)
    : sampler_(sampler), progress_(progress), unit_(unit_of(config.guidance)) {}

Batch FittingSampler::draw(const std::vector<int64_t>& samples, const std::function<void(double)>& share) {
  while (true) {
    try {
      return draw_in_parts(samples, share);
    } catch (const std::exception& error) {
      if (!is_out_of_memory(error)) throw;
    }
    // Out here the error is gone, and with it what it may hold of the batch.
    const auto all = static_cast<int64_t>(samples.size());
    halve(most_ > 0 ? std::min(most_, all) : all);
  }
}

Batch FittingSampler::draw_in_parts(const std::vector<int64_t>& samples, const std::function<void(double)>& share) {
  const std::size_t all = samples.size(), most = most_ > 0 ? static_cast<std::size_t>(most_) : all;
  if (most >= all) return sampler_.draw(samples, share);
  Batch whole;
  std::vector<Tensor> images, traces;
  for (std::size_t first = 0; first < all; first += most) {
    const std::size_t end = std::min(first + most, all);
    const auto n = static_cast<double>(all);
    const Batch part = sampler_.draw(
        {samples.begin() + static_cast<std::ptrdiff_t>(first), samples.begin() + static_cast<std::ptrdiff_t>(end)},
        [&](double done) { share((static_cast<double>(first) + done * (end - first)) / n); });
    images.push_back(part.images);
    traces.push_back(part.traces);
    whole.records.insert(whole.records.end(), part.records.begin(), part.records.end());
  }
  whole.images = at::cat(images);
  whole.traces = at::cat(traces);
  return whole;
}

void FittingSampler::halve(int64_t size) {
  const std::string lower = "a lower --precision (bf16), fewer --cutouts or no --autoguidance-model need less";
  if (failed_ > 0) {
    throw Error("out of memory with " + images_at_a_time(size) + ", after " + std::to_string(failed_) +
                " were too many; lower --batch; " + lower);
  }
  const int64_t half = unit_ > 0 ? size / 2 / unit_ * unit_ : 0;
  if (half == 0) {
    const std::string together =
        ", which depend on each other and cannot be drawn in parts; lower --batch or "
        "--tilt-group; ";
    throw Error("out of memory with " + images_at_a_time(size) + (size > 1 ? together : "; ") + lower);
  }
  failed_ = size;
  most_ = half;
  progress_.note("note: out of memory with " + images_at_a_time(size) + ": goes on with " + std::to_string(half) +
                 "; on a GPU images may differ in the last bit from those of the larger batch");
}

}  // namespace sextant::commands
