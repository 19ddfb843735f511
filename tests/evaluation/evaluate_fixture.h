// Images and a feature network whose numbers one can compute by hand.
#pragma once

#include <algorithm>

#include "sextant/evaluation/evaluate.h"
#include "sextant/runtime/error.h"
#include "support/golden.h"

namespace sextant::evaluation {

using namespace sextant::testing;

/// Features one can compute by hand: means of the four quadrants, and of the channels; logits are the first two.
class Quadrants : public networks::FeatureNetwork {
 public:
  explicit Quadrants(int64_t channels = 1) : channels_(channels) {}
  Features forward(const Tensor& images) const override {
    const Tensor pool = at::adaptive_avg_pool2d(images.to(at::kFloat), {2, 2}).mean(1).flatten(1);
    const Tensor broken = at::where(pool == 255, at::full_like(pool, NAN), pool);
    return {{"pool", broken}, {"spatial", broken.slice(1, 0, 3)}, {"logits", broken.slice(1, 0, 2)}};
  }
  int64_t channels() const override { return channels_; }

 private:
  int64_t channels_;
};

/// Random images; those in `bad` cannot be read.
class RandomImages : public data::ImageSet {
 public:
  RandomImages(int64_t count, uint64_t seed, std::vector<int64_t> bad = {}, int64_t channels = 1)
      : bad_(std::move(bad)) {
    auto generator = at::detail::createCPUGenerator(seed);
    images_ = at::randint(0, 250, {count, channels, 8, 8}, generator, at::kByte);
    labels_ = at::arange(count, at::kLong) % 2;
  }
  int64_t size() const override { return images_.size(0); }
  Tensor image(int64_t index) const override {
    if (std::find(bad_.begin(), bad_.end(), index) != bad_.end()) throw DataError(name(index) + " is corrupt");
    // Sizes change along the set, as in a folder of photographs.
    return index % 7 == 0 ? images_[index].slice(1, 0, 6) : images_[index];
  }
  std::string name(int64_t index) const override { return "image " + std::to_string(index); }
  Tensor& pixels() { return images_; }

 private:
  Tensor images_;
  std::vector<int64_t> bad_;
};

class Silent : public Progress {
 public:
  void begin(const std::string&, double, double, const std::string&) override {}
  void update(double done) override { last = done; }
  void end() override {}
  void note(const std::string& line) override { notes.push_back(line); }
  double last = 0;
  std::vector<std::string> notes;
};

class Evaluate : public ::testing::Test {
 protected:
  Embedding embedded(const data::ImageSet& images, EmbedOptions options = {}) {
    options.resize = true;
    return *embed(images, "set", extractor_, options, progress_, stop_);
  }

  FeatureExtractor extractor_{std::make_shared<Quadrants>(), "quadrants", std::string(32, 'a')};
  Silent progress_;
  Stop stop_;
  TemporaryFolder folder_;
};

/// Class 1 where the image is bright.
inline guidance::Classifier brightness() {
  return {[](const Tensor& x) {
            const Tensor mean = x.mean(at::IntArrayRef{1, 2, 3});
            return at::stack({-mean, mean}, 1);
          },
          2};
}

}  // namespace sextant::evaluation
