// Decodes images ahead of whoever uses them.
#pragma once

#include <deque>
#include <future>
#include <optional>
#include <string>
#include <vector>

#include "sextant/data/images.h"

namespace sextant::evaluation {

/// Images of one size, as many as follow each other.
struct ImageBatch {
  Tensor images;                 ///< uint8 [n, C, H, W]
  std::vector<int64_t> indices;  ///< [n], of the set
};

/// A stretch of the set, in order.
struct ImageStretch {
  std::vector<ImageBatch> batches;
  std::vector<std::string> skipped;  ///< names of images that cannot be read
};

class ImageReader {
 public:
  /// Reads the images first, ..., end - 1 in stretches of `batch`, `ahead` of them at a time, each on a thread of its
  /// own. With `skip_bad` an image that throws DataError is left out. Without `mixed_sizes` an image of another size
  /// than the first one read throws DataError, even then.
  ImageReader(const data::ImageSet& images, int64_t first, int64_t end, int64_t batch, int ahead, bool skip_bad,
              bool mixed_sizes);

  /// The next stretch, empty at the end. Throws what reading it threw.
  std::optional<ImageStretch> next();

 private:
  void start_one();
  ImageStretch read(int64_t first, int64_t last) const;
  void check_size(const Tensor& image, int64_t index);

  const data::ImageSet& images_;
  int64_t batch_;
  bool skip_bad_;
  bool mixed_sizes_;
  std::vector<int64_t> size_;  ///< [C, H, W] of the first image
  int64_t started_;            ///< images before it were handed to threads
  int64_t end_;
  std::deque<std::future<ImageStretch>> ahead_;
};

}  // namespace sextant::evaluation
