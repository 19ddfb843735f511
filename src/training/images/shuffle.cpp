#include <numeric>

#include "images/loader.h"
#include "sextant/runtime/noise.h"
#include "streams.h"

namespace sextant::training {

int64_t Shuffle::operator()(int64_t number) {
  const int64_t epoch = number / images_;
  if (epoch != epoch_) {
    // Fisher-Yates by one random word an image.
    order_.resize(static_cast<std::size_t>(images_));
    std::iota(order_.begin(), order_.end(), 0);
    const Tensor u = Noise(stream(seed_, Purpose::kOrder), {epoch}, {images_, 2}).uniform(0).flatten();
    const float* const random = u.data_ptr<float>();
    for (int64_t i = images_ - 1; i > 0; --i) {
      const double fraction = random[2 * i] + random[2 * i + 1] * 0x1p-24;  // 48 bits: even for millions of images
      const auto other = std::min(i, static_cast<int64_t>(fraction * static_cast<double>(i + 1)));
      std::swap(order_[static_cast<std::size_t>(i)], order_[static_cast<std::size_t>(other)]);
    }
    epoch_ = epoch;
  }
  return order_[static_cast<std::size_t>(number % images_)];
}

}  // namespace sextant::training
