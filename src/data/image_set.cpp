#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>

#include "files.h"
#include "formats/codecs.h"
#include "memory_images.h"
#include "sextant/data/images.h"

namespace sextant::data {
namespace {

/// Half to even, as Python rounds.
int64_t middle_of(int64_t side, int64_t crop) { return std::llrint(static_cast<double>(side - crop) / 2); }

Tensor scaled_to_shorter(const Tensor& image, int64_t size) {
  const int64_t shorter = std::min(image.size(1), image.size(2));
  if (shorter == size) return image;
  const std::vector<int64_t> sizes = {image.size(1) * size / shorter, image.size(2) * size / shorter};
  const Tensor smooth = at::_upsample_bilinear2d_aa(image.unsqueeze(0).to(at::kFloat), sizes, false)[0];
  return smooth.round().clamp(0, 255).to(at::kByte);
}

/// A set whose images are brought to one form when they are read.
class FormedImages : public ImageSet {
 public:
  FormedImages(std::unique_ptr<ImageSet> images, const ReadOptions& options, std::string note)
      : images_(std::move(images)), options_(options) {
    labels_ = images_->labels();
    class_names_ = images_->class_names();
    naming_ = images_->naming();
    notes_ = images_->notes();
    if (!note.empty()) notes_.push_back(std::move(note));
  }

  int64_t size() const override { return images_->size(); }
  std::string name(int64_t index) const override { return images_->name(index); }
  Tensor image(int64_t index) const override {
    const Tensor image = with_channels(images_->image(index), options_.channels);
    try {
      return with_size(image, options_.size, options_.crop);
    } catch (const DataError& problem) {
      throw DataError(name(index) + ": " + problem.what());
    }
  }

 private:
  std::unique_ptr<ImageSet> images_;
  ReadOptions options_;
};

}  // namespace

Tensor to_pixels(const Tensor& bytes, at::Device device) {
  if (bytes.scalar_type() == at::kFloat) return bytes.to(device);
  return bytes.to(device, at::kFloat).div_(127.5).sub_(1);
}

Tensor with_size(const Tensor& image, int64_t size, int64_t crop) {
  if (size == 0 && crop == 0) return image;
  if (crop == 0) crop = size;
  if (image.size(1) == crop && image.size(2) == crop && (size == 0 || size == crop)) return image;
  const Tensor scaled = size == 0 ? image : scaled_to_shorter(image, size);
  if (std::min(scaled.size(1), scaled.size(2)) < crop) {
    throw DataError(c10::str("is ", image.size(2), "x", image.size(1), ", too small for image-crop ", crop,
                             "; set image-size to scale it first"));
  }
  return scaled.narrow(1, middle_of(scaled.size(1), crop), crop)
      .narrow(2, middle_of(scaled.size(2), crop), crop)
      .contiguous();
}

std::unique_ptr<ImageSet> as_read(std::unique_ptr<ImageSet> images, const ReadOptions& options) {
  ReadOptions::kSize.check("images", "image-size", static_cast<double>(options.size));
  ReadOptions::kSize.check("images", "image-crop", static_cast<double>(options.crop));
  const bool sized = options.size > 0 || options.crop > 0;
  // A set in memory is of one kind; a folder's files have been converted when they were decoded.
  const auto* const in_memory = dynamic_cast<const MemoryImages*>(images.get());
  const bool converted = options.channels > 0 && in_memory && images->image(0).size(0) != options.channels;
  if (!sized && !converted) return images;
  std::string note = converted ? note_of_colour(in_memory->source(), images->image(0), options.channels) : "";
  return std::make_unique<FormedImages>(std::move(images), options, std::move(note));
}

int64_t ImageSet::label(int64_t index) const { return labels_.defined() ? labels_[index].item<int64_t>() : -1; }

Tensor ImageSet::batch(int64_t begin, int64_t count) const {
  Tensor images;
  for (int64_t i = 0; i < count; ++i) {
    const Tensor image = this->image(begin + i).permute({1, 2, 0});
    if (!images.defined()) images = at::empty({count, image.size(0), image.size(1), image.size(2)}, at::kByte);
    if (image.sizes() != images.sizes().slice(1)) {
      throw DataError(c10::str(name(begin + i), ": is ", image.size(1), "x", image.size(0), " with ", image.size(2),
                               " channels, but ", name(begin), " is ", images.size(2), "x", images.size(1), " with ",
                               images.size(3), "; ", kOneSizeAdvice));
    }
    images[i].copy_(image);
  }
  return images;
}

Unreadable unreadable(const ImageSet& images, const std::vector<int64_t>& numbers) {
  std::vector<std::string> problems(numbers.size());
  at::parallel_for(0, static_cast<int64_t>(numbers.size()), 16, [&](int64_t begin, int64_t end) {
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
      try {
        images.image(numbers[i]);
      } catch (const DataError& problem) {
        problems[i] = problem.what();
      }
    }
  });
  Unreadable result;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (problems[i].empty()) continue;
    result.places.push_back(static_cast<int64_t>(i));
    if (result.note.empty()) result.note = problems[i];
  }
  if (!result.places.empty()) {
    result.note = c10::str(result.places.size(), " of ", numbers.size(),
                           " images cannot be read and are left out, the first ", result.note);
  }
  return result;
}

}  // namespace sextant::data
