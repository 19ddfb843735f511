#include "sextant/training/images.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "images/loader.h"
#include "sextant/runtime/error.h"
#include "sextant/runtime/noise.h"
#include "streams.h"

namespace sextant::training {
namespace {

/// Images to classify come with labels; others may have them.
std::unique_ptr<data::ImageSet> open_set(const TrainingImages::Source& source, const data::ReadOptions& read,
                                         bool labelled) {
  if (labelled) return data::open_labelled(source.path, {source.split, source.labels, read});
  try {
    return data::open_labelled(source.path, {source.split, source.labels, read});
  } catch (const DataError&) {
    const bool folder = std::filesystem::is_directory(source.path);
    auto set = folder ? data::open_image_folder(source.path, read) : data::open_images(source.path, read);
    if (set->labels().defined()) throw;
    return set;
  }
}

data::ReadOptions read_options(const TrainingImages::Source& source, int64_t channels, int64_t image_size,
                               int64_t classes) {
  data::ReadOptions read{channels,
                         source.size > 0 ? source.size : image_size,
                         source.crop,
                         {classes, source.class_names},
                         source.cifar100};
  // An image that is cut but not asked to be scaled keeps its scale.
  if (source.crop > 0 && source.size == 0) read.size = 0;
  if (source.crop == 0 && source.size > 0) read.crop = image_size;
  return read;
}

/// Those of the set: whole images are brought to their size later.
data::ReadOptions set_options(const TrainingImages::Source& source, int64_t channels, int64_t image_size,
                              int64_t classes) {
  data::ReadOptions read = read_options(source, channels, image_size, classes);
  if (source.whole) read.size = read.crop = 0;
  return read;
}

}  // namespace

TrainingImages::TrainingImages(const Source& source, int64_t channels, int64_t image_size, int64_t classes)
    : set_(open_set(source, set_options(source, channels, image_size, classes), classes > 0)),
      labels_(set_->labels()),
      rows_(static_cast<std::size_t>(set_->size())),
      channels_(channels),
      notes_(set_->notes()) {
  std::iota(rows_.begin(), rows_.end(), 0);
  if (source.whole) {
    const data::ReadOptions read = read_options(source, channels, image_size, classes);
    size_ = read.size;
    crop_ = read.crop;
  }
  if (source.skip_bad) leave_out_unreadable();
  if (classes == 0) return;
  const Tensor wrong = (labels_ < 0).logical_or(labels_ >= classes).nonzero();
  if (wrong.size(0) == 0) return;
  const int64_t first = wrong[0].item<int64_t>();
  throw DataError(set_->name(first) + ": label " + std::to_string(labels_[first].item<int64_t>()) +
                  " is no class of the network, 0-" + std::to_string(classes - 1) + " (" +
                  std::to_string(wrong.size(0)) + " such images)" +
                  (labels_.min().item<int64_t>() == 1 && labels_.max().item<int64_t>() == classes
                       ? "; they count from 1: labels count from 0"
                       : ""));
}

void TrainingImages::leave_out_unreadable() {
  const data::Unreadable bad = data::unreadable(*set_, rows_);
  if (bad.places.empty()) return;
  if (bad.places.size() == rows_.size()) throw DataError(bad.note);
  notes_.push_back(bad.note);
  for (auto place = bad.places.rbegin(); place != bad.places.rend(); ++place) rows_.erase(rows_.begin() + *place);
}

void TrainingImages::restrict(int64_t skip, int64_t take) {
  if (skip == 0 && take == 0) return;
  if (!labelled()) throw UsageError("skip-per-class and take-per-class need labels");
  std::map<int64_t, int64_t> seen;
  std::erase_if(rows_, [&](int64_t row) {
    const int64_t place = seen[labels_[row].item<int64_t>()]++;
    return place < skip || (take > 0 && place >= skip + take);
  });
  if (rows_.empty()) throw UsageError("skip-per-class " + std::to_string(skip) + " leaves no image");
}

TrainingImages TrainingImages::hold_out(int64_t count, uint64_t seed) {
  if (count >= size()) {
    throw UsageError("hold-out " + std::to_string(count) + " leaves none of " + std::to_string(size()) + " images");
  }
  Shuffle order(size(), stream(seed, Purpose::kHoldOut));
  std::vector<bool> held(rows_.size());
  for (int64_t i = 0; i < count; ++i) held[static_cast<std::size_t>(order(i))] = true;
  TrainingImages other = *this;
  other.rows_.clear();
  std::vector<int64_t> kept;
  for (std::size_t i = 0; i < rows_.size(); ++i) (held[i] ? other.rows_ : kept).push_back(rows_[i]);
  rows_ = std::move(kept);
  return other;
}

void TrainingImages::head(int64_t count) {
  if (count < size()) rows_.resize(static_cast<std::size_t>(count));
}

Tensor TrainingImages::image(int64_t index) const {
  const Tensor image = whole(index);
  if (size_ == 0 && crop_ == 0) return image;
  try {
    return data::with_size(image, size_, crop_);
  } catch (const DataError& problem) {
    throw DataError(set_->name(rows_.at(static_cast<std::size_t>(index))) + ": " + problem.what());
  }
}

Tensor TrainingImages::whole(int64_t index) const {
  const int64_t row = rows_.at(static_cast<std::size_t>(index));
  const Tensor image = set_->image(row);
  if (image.size(0) == channels_) return image;
  throw DataError(c10::str(set_->name(row), ": has ", image.size(0), " channels, the network takes ", channels_));
}

Tensor TrainingImages::image_like(int64_t index, const Tensor& first) const {
  const Tensor image = this->image(index);
  if (image.sizes() == first.sizes()) return image;
  throw DataError(c10::str(set_->name(rows_.at(static_cast<std::size_t>(index))), ": is ", image.size(2), "x",
                           image.size(1), ", other images ", first.size(2), "x", first.size(1), "; ",
                           data::kOneSizeAdvice));
}

int64_t TrainingImages::label(int64_t index) const {
  return labelled() ? labels_[rows_.at(static_cast<std::size_t>(index))].item<int64_t>() : -1;
}

void TrainingImages::set_answers(Tensor answers) {
  if (answers.dim() != 2 || answers.size(0) != set_->size()) {
    throw ShapeError(c10::str("set_answers: expected [", set_->size(), ", K], got ", answers.sizes()));
  }
  answers_ = answers.to(at::kFloat).contiguous();
}

Tensor TrainingImages::answers(int64_t index) const { return answers_[rows_.at(static_cast<std::size_t>(index))]; }

Batch TrainingImages::batch(int64_t begin, int64_t count) const {
  Batch batch;
  std::vector<Tensor> images, answers;
  std::vector<int64_t> labels;
  for (int64_t i = begin; i < begin + count; ++i) {
    images.push_back(images.empty() ? image(i) : image_like(i, images.front()));
    labels.push_back(label(i));
    if (answered()) answers.push_back(this->answers(i));
    batch.number.push_back(i);
  }
  batch.images = at::stack(images);
  if (labelled()) batch.labels = at::tensor(labels, at::kLong);
  if (answered()) batch.answers = at::stack(answers);
  return batch;
}

}  // namespace sextant::training
