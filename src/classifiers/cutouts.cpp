// Random views of an image, classified together.
#include <c10/util/StringUtil.h>

#include <bit>

#include "sextant/classifiers/classifiers.h"
#include "sextant/runtime/error.h"
#include "sextant/runtime/noise.h"

namespace sextant::models {
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

class CutOut : public guidance::Classifier {
 public:
  CutOut(ClassifierPtr classifier, const Cutouts& cutouts, std::shared_ptr<const SampleStreams> streams)
      : classifier_(std::move(classifier)), cutouts_(cutouts), streams_(std::move(streams)) {}

  Tensor logits(const Tensor& x, const Tensor& t) const override {
    const int64_t N = x.size(0), H = x.size(2), W = x.size(3);
    const int64_t size = cutouts_.size > 0 ? cutouts_.size : std::min(H, W);
    const Tensor times = t.defined() ? t.to(at::kCPU, at::kDouble).expand({N}) : at::zeros({N}, at::kDouble);
    std::vector<Tensor> views;  // [count] for each image
    for (int64_t n = 0; n < N; ++n) {
      const Tensor u = uniform(n, N, times[n].item<double>());
      for (int64_t i = 0; i < cutouts_.count; ++i) {
        const Window w = window_of(u.data_ptr<float>() + 3 * i, H, W, cutouts_.min_share);
        const Tensor view = x.narrow(0, n, 1).narrow(2, w.top, w.side).narrow(3, w.left, w.side);
        views.push_back(resized(view, size, size, cutouts_.resize));
      }
    }
    const Tensor time = t.defined() ? t.expand({N}).repeat_interleave(cutouts_.count) : t;
    const Tensor f = classifier_->logits(at::cat(views), time);
    return f.view({N, cutouts_.count, f.size(1)}).mean(1);
  }
  int64_t num_classes() const override { return classifier_->num_classes(); }
  bool uses_time() const override { return classifier_->uses_time(); }

 private:
  /// [count, 3] float32, of row n of N.
  Tensor uniform(int64_t n, int64_t N, double time) const {
    const auto samples = streams_ ? static_cast<int64_t>(streams_->samples.size()) : 0;
    if (samples > 0 && N % samples != 0) {
      throw ShapeError(c10::str("cut-outs: a batch of ", N, " rows cannot be that of ", samples, " samples"));
    }
    const int64_t sample = samples > 0 ? streams_->samples[static_cast<std::size_t>(n % samples)] : n;
    const int64_t copy = samples > 0 ? n / samples : 0;
    Noise stream(streams_ ? streams_->seed : 0, {sample}, {cutouts_.count, 3});
    return stream.uniform(draw_number(time, copy))[0].contiguous();
  }

  ClassifierPtr classifier_;
  Cutouts cutouts_;
  std::shared_ptr<const SampleStreams> streams_;
};

}  // namespace

ClassifierPtr cut_out(ClassifierPtr classifier, const Cutouts& cutouts, std::shared_ptr<const SampleStreams> streams) {
  if (cutouts.count < 1 || !(cutouts.min_share > 0 && cutouts.min_share <= 1)) {
    throw UsageError(c10::str("cut-outs: expected at least one, of a share in (0, 1], got ", cutouts.count,
                              " and share ", cutouts.min_share));
  }
  return std::make_shared<const CutOut>(std::move(classifier), cutouts, std::move(streams));
}

}  // namespace sextant::models
