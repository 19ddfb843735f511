// The images of a training: a set, a choice of its rows, and how they are changed.
//
// All throw DataError with one line that names the file and the image, UsageError for settings.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "sextant/data/images.h"
#include "sextant/runtime/range.h"
#include "sextant/runtime/tensor.h"

namespace sextant::training {

/// Changes that keep an image's class; each image of each epoch draws its own.
struct Augmentation {
  int64_t crop = 0;  ///< moved by up to so many pixels; what comes in has `crop_fill`
  static constexpr Range kCrop{0, 1024};
  int64_t crop_fill = 0;  ///< byte
  static constexpr Range kCropFill{0, 255};
  bool flip = false;  ///< left and right exchanged, half of the times
  double resize = 0;  ///< instead of `crop`: random crops of whole images, as guided-diffusion cuts them, whose side is
                      ///< at least this share of the shorter side; 0 is off
  static constexpr Range kResize{0, 1};
  int64_t side = 0;  ///< of those
};

/// Images of one step with all that is random about it.
struct Batch {
  Tensor images;                ///< uint8 [B, C, H, W], augmented
  Tensor labels;                ///< [B] int64; undefined without
  Tensor answers;               ///< [B, K] float32 to attributes: 1 yes, -1 no, 0 unknown; undefined without
  std::vector<int64_t> number;  ///< of each image in the whole training: step B + row
  int64_t whole = 0;            ///< B of the batch that these images are part of; 0: these alone
};

/// Images of one size by number, with labels, from a set and a choice of its rows.
class TrainingImages {
 public:
  struct Source {
    std::filesystem::path
        path;  ///< what data::open_labelled takes; what data::open_images takes where no labels are needed
    data::Split split = data::Split::kTrain;
    std::filesystem::path labels;  ///< IDX file of the labels of IDX images; empty takes the one beside them
    int64_t size = 0;              ///< images are scaled to this shorter side first; 0: to that which the network takes
    int64_t crop = 0;              ///< then cut to so many pixels square; 0: to what the network takes, else to `size`
    bool whole = false;            ///< keep them as they are for whole(); image() brings them to their size
    bool skip_bad = false;         ///< leave out what cannot be read, which takes reading every image once
    std::vector<std::string> class_names = {};  ///< of the network's classes in order, to match folders with
    data::Cifar100Labels cifar100 = data::Cifar100Labels::kFine;
  };

  /// Images of another size are scaled so that the shorter side fits and cut at the centre (`image_size` 0 leaves
  /// them); channels are converted by data::with_channels(). With `classes` > 0 labels are needed, and DataError names
  /// the first image whose label is not below it.
  TrainingImages(const Source& source, int64_t channels, int64_t image_size, int64_t classes);

  /// Leaves out the first `skip` images of each class, then keeps at most `take` of each (0: all).
  void restrict(int64_t skip, int64_t take);
  /// Moves `count` images, chosen by `seed`, out of this set into the one returned.
  TrainingImages hold_out(int64_t count, uint64_t seed);
  /// Keeps the first `count` images.
  void head(int64_t count);

  int64_t size() const { return static_cast<int64_t>(rows_.size()); }
  /// [C, H, W] uint8. DataError names a file that cannot be read.
  Tensor image(int64_t index) const;
  /// The same in its own size, where the source keeps it.
  Tensor whole(int64_t index) const;
  /// That, of the sizes of `first`: DataError says what to do about another.
  Tensor image_like(int64_t index, const Tensor& first) const;
  int64_t label(int64_t index) const;
  bool labelled() const { return labels_.defined(); }
  /// The set that these images are chosen from.
  const data::ImageSet& source() const { return *set_; }
  /// What each image of source() answers to K attributes, [source().size(), K] of 1, -1 and 0. ShapeError for others.
  void set_answers(Tensor answers);
  bool answered() const { return answers_.defined(); }
  /// [K] float32.
  Tensor answers(int64_t index) const;
  /// See data::ImageSet; with a note on what was skipped.
  const std::vector<std::string>& notes() const { return notes_; }
  const std::vector<std::string>& class_names() const { return set_->class_names(); }
  /// Images [begin, begin + count) as a batch, not augmented.
  Batch batch(int64_t begin, int64_t count) const;

 private:
  void leave_out_unreadable();

  std::shared_ptr<const data::ImageSet> set_;
  Tensor labels_;
  Tensor answers_;
  std::vector<int64_t> rows_;
  int64_t channels_;
  int64_t size_ = 0, crop_ = 0;  ///< of image(), see data::with_size(), where the set keeps whole images
  std::vector<std::string> notes_;
};

}  // namespace sextant::training
