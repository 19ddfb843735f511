// Sets of images and their labels.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "sextant/runtime/range.h"
#include "sextant/runtime/tensor.h"

namespace sextant::data {

// Images and their labels from files, for evaluation and training.
//
//   image   uint8 [C, H, W], C 1 (gray) or 3 (red, green, blue)
//   batch   uint8 [n, H, W, C], as sample files store it
//   label   int64, from 0; -1 means none
//
// Files are data: sizes are checked against the bytes that are there before anything is allocated. All functions throw
// DataError with one line that names the file, and the image where there are many.

// ---- one image ---------------------------------------------------------------------------------------

/// A PNG, JPEG, WebP or BMP file (1, 4, 8, 24 or 32 bits, not compressed), told apart by its contents; converted by
/// with_channels(). Alpha and gamma are dropped as by PIL's convert("RGB"), 16 bits become their upper 8. JPEG decodes
/// with libjpeg-turbo's defaults; rows stay as they are stored whatever EXIF says of turning them, as data loaders of
/// PyTorch leave them. Truncated and corrupt files are refused, not filled with gray; so is WebP in a build
/// without libwebp.
Tensor read_image(const std::filesystem::path& path, int64_t channels = 0);

/// [C, H, W] with `channels`: 3 repeats grey, 1 takes the luma of ITU-R 601 as PIL's convert("L") does, 0 changes
/// nothing. The one rule for every source.
Tensor with_channels(const Tensor& image, int64_t channels);

/// [C, H, W] scaled so that the shorter side has `size` pixels (bilinear, antialiased; 0 leaves it), then the middle
/// `crop` x `crop` (0: as `size`), as torchvision's Resize and CenterCrop do. DataError without the image's name for
/// one that is too small.
Tensor with_size(const Tensor& image, int64_t size, int64_t crop);

/// Bytes 0 ... 255 to pixels in [-1, 1], as networks take them: float32 on `device`. Points are left as they are.
Tensor to_pixels(const Tensor& bytes, at::Device device);

// ---- many images -------------------------------------------------------------------------------------

/// How labels follow from names of class folders.
enum class Naming {
  kNone,     ///< not: labels are stored as numbers, or there are none
  kNumbers,  ///< the name is the number, or holds it: "3", "3_cat", "class_3"
  kSynsets,  ///< WordNet ids, numbered by their places among ImageNet's 1000
  kMatched,  ///< the network's own names of its classes
  kSorted,   ///< places in the sorted order: right only for a network whose classes are these
};

/// The classes of the network that is to see the images, as far as they are known.
struct NetworkClasses {
  int64_t count = 0;                    ///< 0: not known
  std::vector<std::string> names = {};  ///< in their order; empty: not known
};

/// Which labels of CIFAR-100.
enum class Cifar100Labels {
  kFine,    ///< the 100 classes
  kCoarse,  ///< the 20 superclasses
};

/// How images are read from any source.
struct ReadOptions {
  int64_t channels = 0;  ///< see with_channels(); 0 keeps those of arrays and makes 3 of image files
  int64_t size = 0;      ///< see with_size(), in kSize
  int64_t crop = 0;      ///< likewise
  static constexpr Range kSize{0, 65535};
  NetworkClasses classes = {};  ///< whom the labels of class folders are for
  Cifar100Labels cifar100 = Cifar100Labels::kFine;
};

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
  /// Names of the classes in label order, more than there are folders where these are some of a network's or of
  /// ImageNet's; empty where the source has none.
  const std::vector<std::string>& class_names() const { return class_names_; }
  Naming naming() const { return naming_; }
  /// What a user should know about the set, a line each: files that were left out, the mapping of folders to labels.
  const std::vector<std::string>& notes() const { return notes_; }

 protected:
  Tensor labels_;
  std::vector<std::string> class_names_;
  Naming naming_ = Naming::kNone;
  std::vector<std::string> notes_;
};

/// What to do about images of several sizes.
inline constexpr const char* kOneSizeAdvice =
    "make them alike, or set image-size (and image-crop) to scale the shorter side and cut the middle out";

/// Which of the images `numbers` cannot be read: their places in `numbers`, and a line that counts them and says what
/// is wrong with the first; "" for none. Reads every one, on all threads.
struct Unreadable {
  std::vector<int64_t> places;
  std::string note;
};
Unreadable unreadable(const ImageSet& images, const std::vector<int64_t>& numbers);

/// The set with every image brought to the channels and size of `options`.
std::unique_ptr<ImageSet> as_read(std::unique_ptr<ImageSet> images, const ReadOptions& options);

/// The set that `path` stands for: an .npz of samples, or the folder of a run that holds samples.npz; a folder of image
/// files; the training part of CIFAR, see open_cifar(); an IDX file of images (MNIST), gzipped or not. DataError for a
/// folder of parts such as train and val, which are no classes.
std::unique_ptr<ImageSet> open_images(const std::filesystem::path& path, const ReadOptions& options = {});

/// Images that are there already: [N, C, H, W] uint8, or float32 points [N, d, 1, 1]; labels [N] int64 or undefined.
std::unique_ptr<ImageSet> images_in_memory(const std::string& source, const Tensor& images, const Tensor& labels);

/// arr_0 uint8 [N, H, W, C] or grey [N, H, W], or float32 points [N, d], which are images [d, 1, 1], N > 0, and where
/// there is one arr_1 [N], labels of any integer type, as OpenAI's scripts and sextant write samples. Stored arrays
/// stay in the file until read.
std::unique_ptr<ImageSet> open_npz_images(const std::filesystem::path& path);

/// Every image file below `folder`, sorted by path; decoded when asked for. Names that begin with a dot, __MACOSX and
/// Thumbs.db are neither images nor classes. If all files lie in subfolders of one level or more, the first level names
/// the classes (the second where there is only one folder on the first, which names no class of the network); or
/// val_annotations.txt does, as TinyImageNet's. Labels follow from the names by what naming() says.
std::unique_ptr<ImageSet> open_image_folder(const std::filesystem::path& folder, const ReadOptions& options = {});

/// IDX images uint8 [N, H, W], raw or gzipped, and their labels; without `labels`, the file whose name has "labels" and
/// "idx1" where that of the images has "images" and "idx3", if it is there.
std::unique_ptr<ImageSet> open_idx(const std::filesystem::path& images, const std::filesystem::path& labels = {});

enum class Split { kTrain, kTest };

/// CIFAR-10 or CIFAR-100 in the binary or the python version (pickles, which are read as data): the folder of its
/// files or one that holds that folder, the .tar.gz it is published in, or one batch file (`split` then does not
/// matter). Class names from the files of meta data where they are there; a note on training batches of CIFAR-10 that
/// are not.
std::unique_ptr<ImageSet> open_cifar(const std::filesystem::path& path, Split split = Split::kTrain,
                                     Cifar100Labels kind = Cifar100Labels::kFine);

// Data sets as classifiers are trained and measured on them: images with labels, in a training and a test part.
//
// DataError, one line, names the file.

/// What of a labelled data set is wanted.
struct LabelledOptions {
  Split split = Split::kTest;    ///< of a source that has both
  std::filesystem::path labels;  ///< IDX file of the labels of IDX images; empty takes the one beside them
  ReadOptions read = {};
};

/// The set that `path` stands for, every image with its label: what open_images() takes, a folder of MNIST's IDX files,
/// and a folder with train/ and test/ (or val/). Throws for images without labels and for class folders without images.
std::unique_ptr<ImageSet> open_labelled(const std::filesystem::path& path, const LabelledOptions& options = {});

}  // namespace sextant::data
