// An image set whose pixels are one tensor: a mapped file or a decoded archive.
#pragma once

#include "sextant/data/images.h"
#include "sextant/runtime/error.h"

namespace sextant::data {

class MemoryImages : public ImageSet {
 public:
  /// pixels uint8 [N, C, H, W], any strides; labels [N] int64 or undefined; `source` names the file.
  MemoryImages(std::string source, Tensor pixels, Tensor labels, std::vector<std::string> class_names = {})
      : source_(std::move(source)), pixels_(std::move(pixels)) {
    labels_ = std::move(labels);
    class_names_ = std::move(class_names);
  }

  const std::string& source() const { return source_; }
  /// Adds to notes(); "" adds nothing.
  void note(std::string line) {
    if (!line.empty()) notes_.push_back(std::move(line));
  }
  int64_t size() const override { return pixels_.size(0); }
  Tensor image(int64_t index) const override { return pixels_[checked(index, 1)].contiguous(); }
  std::string name(int64_t index) const override { return source_ + " image " + std::to_string(index); }
  Tensor batch(int64_t begin, int64_t count) const override {
    return pixels_.slice(0, checked(begin, count), begin + count).permute({0, 2, 3, 1}).contiguous();
  }

 private:
  int64_t checked(int64_t begin, int64_t count) const {
    if (begin >= 0 && count >= 0 && begin <= size() - count) return begin;
    throw DataError(source_ + ": has " + std::to_string(size()) + " images, asked for " + std::to_string(count) +
                    " from " + std::to_string(begin));
  }

  std::string source_;
  Tensor pixels_;
};

}  // namespace sextant::data
