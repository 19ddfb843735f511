#include "image_reader.h"

#include <c10/util/StringUtil.h>

#include "sextant/runtime/error.h"

namespace sextant::evaluation {

ImageReader::ImageReader(const data::ImageSet& images, int64_t first, int64_t end, int64_t batch, int ahead,
                         bool skip_bad, bool mixed_sizes)
    : images_(images), batch_(batch), skip_bad_(skip_bad), mixed_sizes_(mixed_sizes), started_(first), end_(end) {
  for (int i = 0; i < ahead; ++i) start_one();
}

void ImageReader::start_one() {
  if (started_ >= end_) return;
  const int64_t first = started_;
  started_ = std::min(first + batch_, end_);
  ahead_.push_back(std::async(std::launch::async, [this, first, last = started_] { return read(first, last); }));
}

ImageStretch ImageReader::read(int64_t first, int64_t last) const {
  ImageStretch stretch;
  std::vector<Tensor> alike;
  std::vector<int64_t> indices;
  const auto finish_batch = [&] {
    if (!alike.empty()) stretch.batches.push_back({at::stack(alike), indices});
    alike.clear();
    indices.clear();
  };
  for (int64_t i = first; i < last; ++i) {
    try {
      const Tensor image = images_.image(i);
      if (!alike.empty() && alike.back().sizes() != image.sizes()) finish_batch();
      alike.push_back(image);
      indices.push_back(i);
    } catch (const DataError&) {
      if (!skip_bad_) throw;
      stretch.skipped.push_back(images_.name(i));
    }
  }
  finish_batch();
  return stretch;
}

void ImageReader::check_size(const Tensor& image, int64_t index) {
  if (size_.empty()) size_ = image.sizes().vec();
  if (mixed_sizes_ || image.sizes() == at::IntArrayRef(size_)) return;
  throw DataError(c10::str(images_.name(index), " is ", image.size(2), " x ", image.size(1),
                           " pixels, the first image ", size_[2], " x ", size_[1],
                           "; make them alike, or set resize or image-size"));
}

std::optional<ImageStretch> ImageReader::next() {
  if (ahead_.empty()) return std::nullopt;
  std::future<ImageStretch> front = std::move(ahead_.front());
  ahead_.pop_front();
  ImageStretch stretch = front.get();
  for (const ImageBatch& batch : stretch.batches) check_size(batch.images[0], batch.indices[0]);
  start_one();
  return stretch;
}

}  // namespace sextant::evaluation
