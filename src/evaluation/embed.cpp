#include <ATen/core/grad_mode.h>

#include "image_reader.h"
#include "internal/evaluation/shared.h"
#include "sextant/evaluation/evaluate.h"
#include "sextant/runtime/device.h"
#include "sextant/runtime/error.h"

namespace sextant::evaluation {
namespace {

/// Collects the features of one set, batch by batch.
class Collector {
 public:
  Collector(const data::ImageSet& images, const FeatureExtractor& extractor, const EmbedOptions& options)
      : images_(images),
        network_(extractor.network.get()),
        accumulates_(options.need_statistics),
        keep_(options.keep_features),
        resize_(options.resize),
        classifier_(options.classifier),
        device_(network_ != nullptr ? network_->device() : options.device) {}

  void add(const ImageBatch& batch) {
    if (network_ != nullptr) add_features(batch);
    if (classifier_) judge_logits_.push_back(judged(batch));
    indices_.insert(indices_.end(), batch.indices.begin(), batch.indices.end());
  }

  int64_t count() const { return static_cast<int64_t>(indices_.size()); }

  /// What all processes embedded together; every one of them calls it.
  Embedding result(distributed::Group& group) {
    merge(pool_, group);
    merge(spatial_, group);
    Embedding embedding;
    if (pool_) embedding.pool = pool_->gaussian();
    if (spatial_) embedding.spatial = spatial_->gaussian();
    embedding.features = all_rows(features_, group);
    embedding.logits = all_rows(logits_, group);
    embedding.judge_logits = all_rows(judge_logits_, group);
    const Tensor indices = group.gather(at::tensor(indices_, at::kLong));
    embedding.count = indices.numel();
    if (images_.labels().defined()) embedding.labels = images_.labels().index_select(0, indices);
    return embedding;
  }

 private:
  void add_features(const ImageBatch& batch) {
    if (batch.images.size(1) != network_->channels()) {
      throw DataError(c10::str(images_.name(batch.indices[0]), " has ", batch.images.size(1),
                               " channels, the feature network takes ", network_->channels(),
                               "; choose a network for such images"));
    }
    const auto features = network_->forward(fitted(batch.images.to(network_->device())));
    const Tensor pool = finite(features.at("pool"), batch);
    if (accumulates_) accumulate(pool_, pool);
    if (const auto spatial = features.find("spatial"); accumulates_ && spatial != features.end()) {
      accumulate(spatial_, finite(spatial->second, batch));
    }
    if (!keep_) return;
    features_.push_back(pool.to(at::kFloat));
    const auto unbiased = features.find("logits_unbiased");
    const auto logits = unbiased != features.end() ? unbiased : features.find("logits");
    if (logits != features.end()) logits_.push_back(logits->second.to(at::kCPU, at::kFloat));
  }

  /// Pixels of the size that the network takes.
  Tensor fitted(const Tensor& images) const {
    const int64_t size = network_->image_size();
    if (!resize_ || size == 0 || (images.size(2) == size && images.size(3) == size)) return images;
    return at::_upsample_bilinear2d_aa(images.to(at::kFloat), {size, size}, /*align_corners=*/false).round();
  }

  /// The classifier's logits of clean pixels.
  Tensor judged(const ImageBatch& batch) const {
    const Tensor x = data::to_pixels(batch.images, device_);
    const Tensor t = at::zeros({x.size(0)}, x.options().dtype(at::kLong));
    const Tensor logits = classifier_.logits(x, classifier_.uses_time ? t : Tensor(), {0, batch.indices});
    return logits.to(at::kCPU, at::kFloat);
  }

  Tensor finite(const Tensor& features, const ImageBatch& batch) const {
    const Tensor here = features.to(at::kCPU);
    const Tensor bad = at::isfinite(here).all(1).logical_not().nonzero();
    if (bad.size(0) > 0) {
      throw NumericError("the features of " + images_.name(batch.indices[bad[0].item<int64_t>()]) +
                         " hold NaN or infinity; the network's weights or its precision do not suit it");
    }
    return here;
  }

  static Tensor all_rows(const std::vector<Tensor>& batches, distributed::Group& group) {
    return group.gather(batches.empty() ? Tensor() : at::cat(batches));
  }

  /// A process without images knows no dimensions.
  static void merge(std::optional<metrics::GaussianAccumulator>& moments, distributed::Group& group) {
    if (group.alone()) return;
    const Tensor dimensions = group.gather(at::full({1}, moments ? moments->dimensions() : 0, at::kLong));
    const auto known = dimensions.max().item<int64_t>();
    if (known == 0) return;
    if (!moments) moments.emplace(known);
    moments->merge_all([&](const Tensor& part) { group.sum(part); });
  }

  static void accumulate(std::optional<metrics::GaussianAccumulator>& into, const Tensor& features) {
    if (!into) into.emplace(features.size(1));
    into->add(features);
  }

  const data::ImageSet& images_;
  const networks::FeatureNetwork* network_;  ///< null: only the classifier sees the images
  bool accumulates_;
  bool keep_;
  bool resize_;
  guidance::Classifier classifier_;
  at::Device device_;
  std::optional<metrics::GaussianAccumulator> pool_, spatial_;
  std::vector<Tensor> features_, logits_, judge_logits_;
  std::vector<int64_t> indices_;
};

}  // namespace

std::optional<Embedding> embed(const data::ImageSet& images, const std::string& source,
                               const FeatureExtractor& extractor, const EmbedOptions& options, Progress& progress,
                               const Stop& stop) {
  distributed::Group alone;
  return embed(images, source, extractor, options, alone, progress, stop);
}

std::optional<Embedding> embed(const data::ImageSet& images, const std::string& source,
                               const FeatureExtractor& extractor, const EmbedOptions& options,
                               distributed::Group& group, Progress& progress, const Stop& stop) {
  const at::NoGradGuard no_grad;
  EmbedOptions::kBatch.check("embed", "batch", static_cast<double>(options.batch));
  const auto [begin, end] = group.part(images.size());
  ImageReader reader(images, begin, end, options.batch, std::clamp(threads(), 2, 8), options.skip_bad, options.resize);
  Collector collector(images, extractor, options);
  std::vector<std::string> skipped;
  int64_t done = 0;
  progress.begin("embedding " + source, static_cast<double>(images.size()), 0, "images");
  while (const auto stretch = reader.next()) {
    if (stop.requested()) break;
    group.at("images " + std::to_string(begin + done) + " and on of " + source);
    for (const ImageBatch& batch : stretch->batches) collector.add(batch);
    skipped.insert(skipped.end(), stretch->skipped.begin(), stretch->skipped.end());
    done = collector.count() + static_cast<int64_t>(skipped.size());
    progress.update(static_cast<double>(done * group.size()));  // the others go as fast
  }
  progress.end();
  if (group.sum(done) < images.size()) return std::nullopt;
  skipped = group.gather(skipped);
  const int64_t embedded = group.sum(collector.count());
  const int64_t needed = options.need_statistics ? 2 : 1;
  if (embedded < needed) {
    throw DataError(c10::str(source, " has ", embedded, embedded == 1 ? " image" : " images",
                             skipped.empty() ? ""
                                             : c10::str(" that can be read (", skipped.front(), " and ",
                                                        skipped.size() - 1, " others cannot)"),
                             options.need_statistics ? "; a covariance needs at least 2" : ""));
  }
  Embedding embedding = collector.result(group);
  embedding.source = source;
  embedding.skipped = std::move(skipped);
  return embedding;
}

}  // namespace sextant::evaluation
