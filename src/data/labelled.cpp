#include <algorithm>
#include <set>

#include "cifar.h"
#include "class_folders.h"
#include "files.h"
#include "folder_walk.h"
#include "sextant/data/images.h"

namespace sextant::data {
namespace {

namespace fs = std::filesystem;

bool starts_with(const fs::path& path, const std::string& start) { return path.filename().string().starts_with(start); }

std::vector<std::string> names_of(Split split) {
  if (split == Split::kTrain) return {"train"};
  return {"test", "t10k", "val", "valid", "validation"};
}

bool is_idx(const fs::path& path) { return path.filename().string().find("idx3") != std::string::npos; }

/// The IDX images of `split` in `folder`; empty where there are none.
fs::path idx_images_in(const fs::path& folder, Split split) {
  const std::vector<fs::path> entries = entries_of(folder);
  for (const std::string& name : names_of(split)) {
    for (const fs::path& entry : entries) {
      if (starts_with(entry, name + "-images") && is_idx(entry)) return entry;
    }
  }
  return {};
}

/// The IDX images of `split` below the root of torchvision's data sets, which has them in MNIST/raw, or below a folder
/// such as MNIST; empty where there are none. DataError where there are several.
fs::path idx_images_below(const fs::path& root, Split split) {
  std::vector<fs::path> found;
  std::vector<fs::path> sets = {root};
  for (const fs::path& entry : entries_of(root)) sets.push_back(entry);
  for (const fs::path& set : sets) {
    std::error_code ignored;
    if (!fs::is_directory(set / "raw", ignored)) continue;
    if (const fs::path images = idx_images_in(set / "raw", split); !images.empty()) found.push_back(images);
  }
  if (found.size() > 1) {
    throw bad_file(root, "holds several data sets, " + found[0].parent_path().string() + " and " +
                             found[1].parent_path().string() + "; name one of these folders");
  }
  return found.empty() ? fs::path() : found.front();
}

bool holds_folders(const fs::path& folder) {
  const std::vector<fs::path> entries = entries_of(folder);
  return std::any_of(entries.begin(), entries.end(), [](const fs::path& entry) { return fs::is_directory(entry); });
}

/// The part of `folder` that `split` names: a folder, or a file of IDX images. Empty where it has no parts.
fs::path part_of(const fs::path& folder, Split split) {
  // TinyImageNet's test images have no labels.
  if (split == Split::kTest && fs::exists(folder / "val" / kAnnotations)) return folder / "val";
  if (const fs::path images = idx_images_in(folder, split); !images.empty()) return images;
  for (const std::string& name : names_of(split)) {
    if (fs::is_directory(folder / name)) return folder / name;
  }
  return idx_images_below(folder, split);
}

/// A folder that has the other part alone would be taken for one class of that name.
void check_part(const fs::path& folder, Split split) {
  const bool training = split == Split::kTrain;
  const fs::path other = part_of(folder, training ? Split::kTest : Split::kTrain);
  // CIFAR-100 has a class "train", whose folder holds images.
  if (other.empty() || (!is_idx(other) && !holds_folders(other))) return;
  throw bad_file(folder, std::string("has no ") + (training ? "training" : "test") + " images, only " + other.string() +
                             "; name that one itself to use it");
}

/// A class that lost its images would shift the labels of those after it.
void check_class_folders(const fs::path& folder, const ImageSet& images) {
  std::set<std::string> filled;
  for (int64_t i = 0; i < images.size(); ++i)
    filled.insert(fs::path(images.name(i)).lexically_relative(folder).begin()->string());
  for (const fs::path& entry : entries_of(folder)) {
    if (!fs::is_directory(entry) || is_litter(entry) || filled.count(entry.filename().string()) > 0) continue;
    throw bad_file(entry, std::string("is the folder of a class but holds no ") + kImageExtensions + " images");
  }
}

/// What keeps the folders beside it from naming the classes.
std::string stray_image(const fs::path& folder) {
  const fs::path first = walk_folder(folder).images.front();
  return first.has_parent_path() ? "" : "; " + first.string() + " lies in no such subfolder";
}

std::unique_ptr<ImageSet> with_labels(std::unique_ptr<ImageSet> images, const fs::path& path) {
  if (images->labels().defined()) return images;
  const std::string stray = fs::is_directory(path) ? stray_image(path) : "";
  throw bad_file(path,
                 "has no labels; expected a labels-idx1 file beside IDX images, arr_1 in an .npz, or a subfolder for "
                 "every class" +
                     stray);
}

std::unique_ptr<ImageSet> open(const fs::path& path, const LabelledOptions& options) {
  const fs::path cifar = cifar_in(path);
  if (fs::is_directory(path) && cifar.empty()) {
    if (const fs::path part = part_of(path, options.split); !part.empty()) return open(part, options);
    check_part(path, options.split);
  } else if (is_idx(path)) {
    return with_labels(open_idx(path, options.labels), path);
  }
  if (!options.labels.empty())
    throw bad_file(options.labels, "labels go with IDX images, and " + path.string() + " is none");
  if (!cifar.empty()) return open_cifar(cifar, options.split, options.read.cifar100);
  if (!fs::is_directory(path)) return with_labels(open_images(path), path);
  auto images = open_image_folder(path, {.channels = options.read.channels, .classes = options.read.classes});
  if (images->naming() == Naming::kSorted) check_class_folders(path, *images);
  return with_labels(std::move(images), path);
}

}  // namespace

std::unique_ptr<ImageSet> open_labelled(const fs::path& path, const LabelledOptions& options) {
  return as_read(open(path, options), options.read);
}

}  // namespace sextant::data
