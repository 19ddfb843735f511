#include "sweep/judge.h"

#include "sextant/metrics/accuracy.h"
#include "sextant/metrics/frechet.h"

namespace sextant::commands {
namespace {

/// Judging takes a moment beside the drawing.
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

Judge::Judge(const std::string& network, const std::string& reference, at::Device device)
    : extractor_(evaluation::open_extractor(network, evaluation::Protocol::kOpenAi, device)) {
  Silent progress;
  if (!reference.empty()) reference_ = evaluation::open_reference(reference, extractor_, {}, {false}, progress, Stop());
}

Verdict Judge::judge(const std::filesystem::path& samples) const {
  constexpr int64_t kFewest = 2;  // for a covariance
  const auto images = evaluation::open_images_for(extractor_, samples);
  Verdict verdict;
  verdict.count = images->size();
  if (verdict.count < kFewest) {
    const at::NoGradGuard no_grad;
    const Tensor logits = extractor_.network->forward(images->image(0).unsqueeze(0)).at("logits");
    verdict.accuracy = logits.argmax(1).item<int64_t>() == images->label(0) ? 1 : 0;
    return verdict;
  }
  const evaluation::Embedding drawn = embedded(samples, extractor_);
  verdict.accuracy = metrics::class_accuracy(drawn.logits, drawn.labels).overall;
  if (reference_) verdict.frechet = metrics::frechet_distance(drawn.pool, reference_->pool).value;
  return verdict;
}

}  // namespace sextant::commands
