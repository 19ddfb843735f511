// Images and their labels from files, for evaluation and training.
//
//   image   uint8 [C, H, W], C 1 (gray) or 3 (red, green, blue)
//   batch   uint8 [n, H, W, C], as sample files store it
//   label   int64, from 0; -1 means none
//
// Files are data: sizes are checked against the bytes that are there before anything is allocated. All functions throw
// DataError with one line that names the file, and the image where there are many.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "sextant/runtime/tensor.h"

namespace sextant::data {

// ---- one image ---------------------------------------------------------------------------------------

/// A PNG or JPEG file, told apart by its contents. `channels` 0 keeps the file's own; 3 repeats gray, 1 takes the luma
/// of ITU-R 601. Alpha is dropped and 16 bits become their upper 8, as PIL's convert("RGB") does. JPEG decodes with
/// libjpeg-turbo's defaults. Truncated and corrupt files are refused, not filled with gray.
Tensor read_image(const std::filesystem::path& path, int64_t channels = 0);

/// Bytes 0 ... 255 to pixels in [-1, 1], as networks take them: float32 on `device`.
Tensor to_pixels(const Tensor& bytes, at::Device device);

// ---- many images -------------------------------------------------------------------------------------

/// Images by index. Immutable; image() and batch() may be called from several threads.
class ImageSet {
 public:
  virtual ~ImageSet() = default;

  virtual int64_t size() const = 0;
  virtual Tensor image(int64_t index) const = 0;
  /// Where image `index` comes from: a file, or a file and a position in it.
  virtual std::string name(int64_t index) const = 0;
  /// Images [begin, begin + count), which must be of one size.
  virtual Tensor batch(int64_t begin, int64_t count) const;

  /// [size()] int64, or undefined without labels.
  const Tensor& labels() const { return labels_; }
  int64_t label(int64_t index) const;
  /// Names of the classes in label order; empty where the source has none.
  const std::vector<std::string>& class_names() const { return class_names_; }

 protected:
  Tensor labels_;
  std::vector<std::string> class_names_;
};

/// The set that `path` stands for: an .npz of samples, or the folder of a run that holds samples.npz; a folder of PNG
/// and JPEG files; a folder, .tar.gz or .bin file of CIFAR-10's binary version; an IDX file of images (MNIST), gzipped
/// or not.
std::unique_ptr<ImageSet> open_images(const std::filesystem::path& path);

/// arr_0 uint8 [N, H, W, C], N > 0, and where there is one arr_1 [N], labels of any integer type, as OpenAI's scripts
/// and sextant write samples. Stored arrays stay in the file until read.
std::unique_ptr<ImageSet> open_npz_images(const std::filesystem::path& path);

/// Every .png, .jpg and .jpeg below `folder`, sorted by path; decoded when asked for, converted to `channels`. If all
/// files lie in subfolders of one level or more, the first level names the classes, labelled in sorted order.
std::unique_ptr<ImageSet> open_image_folder(const std::filesystem::path& folder, int64_t channels = 3);

/// IDX images uint8 [N, H, W], raw or gzipped, and their labels; without `labels`, the file whose name has "labels" and
/// "idx1" where that of the images has "images" and "idx3", if it is there.
std::unique_ptr<ImageSet> open_idx(const std::filesystem::path& images, const std::filesystem::path& labels = {});

enum class Split { kTrain, kTest };

/// CIFAR-10, binary version: a folder with data_batch_*.bin and test_batch.bin, the .tar.gz it is published in, or one
/// .bin file (`split` then does not matter). Class names from batches.meta.txt where it is there.
std::unique_ptr<ImageSet> open_cifar10(const std::filesystem::path& path, Split split = Split::kTrain);

}  // namespace sextant::data
