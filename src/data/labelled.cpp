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

/// The part of `folder` that `split` names: a folder, or a file of IDX images. Empty where it has no parts.
fs::path part_of(const fs::path& folder, Split split) {
  // TinyImageNet's test images have no labels.
  if (split == Split::kTest && fs::exists(folder / "val" / kAnnotations)) return folder / "val";
  const std::vector<fs::path> entries = entries_of(folder);
  for (const std::string& name : names_of(split)) {
    for (const fs::path& entry : entries) {
      const bool images =
          starts_with(entry, name + "-images") && entry.filename().string().find("idx3") != std::string::npos;
      if (images || (entry.filename() == name && fs::is_directory(entry))) return entry;
    }
  }
  return {};
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
  if (!fs::is_directory(folder)) return "";
  const fs::path first = walk_folder(folder).images.front();
  return first.has_parent_path() ? "" : "; " + first.string() + " lies in no such subfolder";
}

std::unique_ptr<ImageSet> open(const fs::path& path, const LabelledOptions& options) {
  const fs::path cifar = cifar_in(path);
  if (fs::is_directory(path) && cifar.empty()) {
    if (const fs::path part = part_of(path, options.split); !part.empty()) return open(part, options);
  } else if (path.filename().string().find("idx3") != std::string::npos) {
    return open_idx(path, options.labels);
  }
  if (!options.labels.empty())
    throw bad_file(options.labels, "labels go with IDX images, and " + path.string() + " is none");
  if (!cifar.empty()) return open_cifar(cifar, options.split, options.read.cifar100);
  if (!fs::is_directory(path)) return open_images(path);
  auto images = open_image_folder(path, {.channels = options.read.channels, .classes = options.read.classes});
  if (images->naming() == Naming::kSorted) check_class_folders(path, *images);
  return images;
}

}  // namespace

std::unique_ptr<ImageSet> open_labelled(const fs::path& path, const LabelledOptions& options) {
  std::unique_ptr<ImageSet> images = as_read(open(path, options), options.read);
  if (images->labels().defined()) return images;
  throw bad_file(path,
                 "has no labels; expected a labels-idx1 file beside IDX images, arr_1 in an .npz, or a subfolder for "
                 "every class" +
                     stray_image(path));
}

}  // namespace sextant::data
