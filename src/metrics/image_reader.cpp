#include "metrics/image_reader.h"

#include "sextant/error.h"

namespace sextant::metrics {

ImageReader::ImageReader(const data::ImageSet& images, int64_t batch, int ahead, bool skip_bad)
    : images_(images), batch_(batch), skip_bad_(skip_bad) {
  for (int i = 0; i < ahead; ++i) start_one();
}

void ImageReader::start_one() {
  if (started_ >= images_.size()) return;
  const int64_t first = started_;
  started_ = std::min(first + batch_, images_.size());
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

std::optional<ImageStretch> ImageReader::next() {
  if (ahead_.empty()) return std::nullopt;
  std::future<ImageStretch> front = std::move(ahead_.front());
  ahead_.pop_front();
  ImageStretch stretch = front.get();
  start_one();
  return stretch;
}

}  // namespace sextant::metrics
