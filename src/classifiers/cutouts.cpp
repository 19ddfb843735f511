// Random views of an image, classified together.
#include <c10/util/StringUtil.h>

#include <bit>

#include "sextant/classifiers/wrappers.h"
#include "sextant/runtime/error.h"
#include "sextant/runtime/noise.h"

namespace sextant::classifiers {
namespace {

/// A square view: side, top and left of a height x width image.
struct Window {
  int64_t side, top, left;
};

/// u [3] in [0, 1).
Window window_of(const float* u, int64_t height, int64_t width, double min_share) {
  const int64_t shorter = std::min(height, width);
  const double share = min_share + (1 - min_share) * u[0];
  const int64_t side = std::clamp<int64_t>(std::llround(share * static_cast<double>(shorter)), 1, shorter);
  const auto place = [&](float at, int64_t length) {
    return static_cast<int64_t>(at * static_cast<double>(length - side + 1));
  };
  return {side, place(u[1], height), place(u[2], width)};
}

/// A draw number for the time t and the copy of a sample that no step of a trajectory has: those are small.
uint64_t draw_number(double t, int64_t copy) {
  return (std::bit_cast<uint64_t>(t) + static_cast<uint64_t>(copy)) | uint64_t{1} << 63;
}

/// Which windows row n of N has, [count, 3] float32.
Tensor places(const SampleIds& ids, int64_t n, int64_t N, double time, int64_t count) {
  const auto samples = static_cast<int64_t>(ids.samples.size());
  if (samples > 0 && N % samples != 0) {
    throw ShapeError(c10::str("cut-outs: a batch of ", N, " rows cannot be that of ", samples, " samples"));
  }
  const int64_t sample = samples > 0 ? ids.samples[static_cast<std::size_t>(n % samples)] : n;
  const int64_t copy = samples > 0 ? n / samples : 0;
  return Noise(ids.seed, {sample}, {count, 3}).uniform(draw_number(time, copy))[0].contiguous();
}

/// [N count, C, size, size]: the views of the first image, then those of the second, ...
Tensor views(const Tensor& x, const Tensor& t, const SampleIds& ids, const Cutouts& cutouts) {
  const int64_t N = x.size(0), H = x.size(2), W = x.size(3);
  const int64_t size = cutouts.size > 0 ? cutouts.size : std::min(H, W);
  const Tensor times = ids.time      ? at::full({N}, *ids.time, at::kDouble)
                       : t.defined() ? t.to(at::kCPU, at::kDouble).expand({N}).contiguous()
                                     : at::zeros({N}, at::kDouble);
  std::vector<Tensor> all;
  for (int64_t n = 0; n < N; ++n) {
    const Tensor u = places(ids, n, N, times.data_ptr<double>()[n], cutouts.count);
    for (int64_t i = 0; i < cutouts.count; ++i) {
      const Window w = window_of(u.data_ptr<float>() + 3 * i, H, W, cutouts.min_share);
      const Tensor view = x.narrow(0, n, 1).narrow(2, w.top, w.side).narrow(3, w.left, w.side);
      all.push_back(resized(view, size, size, cutouts.resize));
    }
  }
  return at::cat(all);
}

}  // namespace

guidance::Classifier cut_out(guidance::Classifier classifier, const Cutouts& cutouts) {
  Range{1, Cutouts::kCount.high}.check("cut-outs", "cutouts", static_cast<double>(cutouts.count));
  Cutouts::kMinShare.check("cut-outs", "cutout-min", cutouts.min_share);
  const auto logits = [logits = classifier.logits, cutouts](const Tensor& x, const Tensor& t, const SampleIds& ids) {
    const int64_t N = x.size(0);
    // repeat_interleave() would ask a GPU how long its answer is.
    const Tensor time = t.defined() ? t.expand({N}).unsqueeze(1).expand({N, cutouts.count}).flatten() : t;
    const Tensor f = logits(views(x, t, ids, cutouts), time, ids);
    return f.view({N, cutouts.count, f.size(1)}).mean(1);
  };
  return {logits, classifier.classes, classifier.uses_time};
}

}  // namespace sextant::classifiers
