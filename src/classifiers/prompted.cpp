#include "sextant/classifiers/classifiers.h"
#include "sextant/runtime/error.h"

namespace sextant::models {

namespace fs = std::filesystem;

namespace {

const char* const kVocabulary = "models/clip/bpe_simple_vocab_16e6.txt.gz";

/// exp(logit_scale) cos(image, text_k)
class Prompted : public guidance::Classifier {
 public:
  Prompted(std::shared_ptr<const networks::Clip> clip, const Tensor& tokens) : clip_(std::move(clip)) {
    const at::NoGradGuard no_grad;
    std::vector<Tensor> features;  // one by one: the text tower of a large CLIP takes memory with every row
    for (const Tensor& row : tokens.to(clip_->device()).split(1)) features.push_back(clip_->text_features(row));
    texts_ = at::cat(features);
  }

  Tensor logits(const Tensor& x, const Tensor&) const override {
    return clip_->logits(clip_->image_features(x), texts_);
  }
  int64_t num_classes() const override { return texts_.size(0); }

 private:
  std::shared_ptr<const networks::Clip> clip_;
  Tensor texts_;  ///< [K, D]
};

/// Folders that may hold models/: the current one, and every one above the running program, there also share/sextant.
std::vector<fs::path> places() {
  std::vector<fs::path> all = {fs::current_path()};
  std::error_code unknown;
  for (fs::path at = fs::read_symlink("/proc/self/exe", unknown); at.has_relative_path();) {
    at = at.parent_path();
    all.push_back(at);
    all.push_back(at / "share/sextant");
  }
  return all;
}

}  // namespace

ClassifierPtr prompted(std::shared_ptr<const networks::Clip> clip, const Tensor& tokens) {
  return std::make_shared<const Prompted>(std::move(clip), tokens);
}

fs::path find_clip_vocabulary(const fs::path& given) {
  if (!given.empty()) {
    if (fs::is_regular_file(given)) return given;
    throw UsageError("--clip-vocab: there is no file " + given.string() + "; give CLIP's bpe_simple_vocab_16e6.txt.gz");
  }
  for (const fs::path& folder : places()) {
    if (fs::is_regular_file(folder / kVocabulary)) return folder / kVocabulary;
  }
  throw UsageError(std::string("--clip-vocab PATH is needed: CLIP's vocabulary, ") + kVocabulary +
                   " of sextant's source, is neither below this folder nor beside the program");
}

}  // namespace sextant::models
