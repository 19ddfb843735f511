#include "sweep/sample_scorer.h"

#include <ATen/core/grad_mode.h>

#include "sextant/metrics/metrics.h"
#include "sextant/runtime/device.h"

namespace sextant::commands {
namespace {

/// Scoring takes a moment beside the drawing.
class Silent : public Progress {
 public:
  void begin(const std::string&, double, double, const std::string&) override {}
  void update(double) override {}
  void end() override {}
  void note(const std::string&) override {}
};

evaluation::Embedding embedded(const std::filesystem::path& samples, const evaluation::FeatureExtractor& extractor) {
  Silent progress;
  const auto images = evaluation::open_images_for(extractor, samples);
  return *evaluation::embed(*images, samples.string(), extractor, {}, progress, Stop());
}

}  // namespace

SampleScorer::SampleScorer(const std::string& network, const std::string& reference, at::Device device)
    : extractor_(evaluation::open_extractor({network}, evaluation::Protocol::kOpenAi, {device})) {
  if (device.is_cuda()) set_cuda_arithmetic({});
  Silent progress;
  if (!reference.empty()) reference_ = evaluation::open_reference(reference, extractor_, {}, {false}, progress, Stop());
}

bool SampleScorer::knows_labels_of(int64_t largest, int64_t classes) const {
  return !extractor_.is_inception() && largest < classes;
}

SampleScore SampleScorer::score(const std::filesystem::path& samples) const {
  constexpr int64_t kFewest = 2;                                        // for a covariance
  if (extractor_.network->device().is_cuda()) set_cuda_arithmetic({});  // in float32, whatever the run did
  const auto images = evaluation::open_images_for(extractor_, samples);
  SampleScore result;
  result.count = images->size();
  if (result.count < kFewest) {
    const at::NoGradGuard no_grad;
    const Tensor logits =
        extractor_.network->forward(images->image(0).unsqueeze(0).to(extractor_.network->device())).at("logits");
    if (knows_labels_of(images->label(0), logits.size(1)))
      result.accuracy = logits.argmax(1).item<int64_t>() == images->label(0) ? 1 : 0;
    return result;
  }
  const evaluation::Embedding drawn = embedded(samples, extractor_);
  if (drawn.logits.defined() && drawn.labels.defined() &&
      knows_labels_of(drawn.labels.max().item<int64_t>(), drawn.logits.size(1))) {
    result.accuracy = metrics::class_accuracy(drawn.logits, drawn.labels).overall;
  }
  if (reference_) result.frechet = metrics::frechet_distance(drawn.pool, reference_->pool).value;
  return result;
}

}  // namespace sextant::commands
