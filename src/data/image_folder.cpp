#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "class_folders.h"
#include "files.h"
#include "folder_walk.h"
#include "formats/codecs.h"
#include "internal/runtime/files.h"

namespace sextant::data {
namespace {

namespace fs = std::filesystem;

std::map<std::string, std::string> read_annotations(const fs::path& path) {
  std::map<std::string, std::string> classes;
  std::istringstream file(read_file(path));
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string image, name;
    if (!(words >> image)) continue;
    if (!(words >> name)) throw bad_file(path, "has a line without a class: " + checkpoint::shown(line));
    classes[image] = name;
  }
  return classes;
}

bool is_name_of_part(const std::string& name) {
  static const std::set<std::string> kNames = {"train", "training", "val", "valid", "validation", "test", "testing"};
  return kNames.count(name) > 0;
}

class FolderImages : public ImageSet {
 public:
  FolderImages(const fs::path& folder, const ReadOptions& options)
      : folder_(folder), channels_(options.channels == 0 ? 3 : options.channels) {
    FolderWalk walk = walk_folder(folder);
    files_ = std::move(walk.images);
    if (!walk.left_out.empty()) notes_.push_back(walk.left_out);
    label(options.classes);
    tell_of_colour();
  }

  int64_t size() const override { return static_cast<int64_t>(files_.size()); }
  Tensor image(int64_t index) const override { return read_image(path(index), channels_); }
  std::string name(int64_t index) const override { return path(index).string(); }

 private:
  void tell_of_colour() {
    if (channels_ != 1 || files_.empty()) return;
    try {
      const std::string note = note_of_colour(folder_.string(), read_image(path(0), 0), channels_);
      if (!note.empty()) notes_.push_back(note);
    } catch (const DataError&) {  // whoever reads that image hears of it
    }
  }

  fs::path path(int64_t index) const {
    if (index >= 0 && index < size()) return folder_ / files_[static_cast<std::size_t>(index)];
    throw bad_file(folder_, "has " + std::to_string(size()) + " images, asked for number " + std::to_string(index));
  }

  /// The class of each file by name; empty where one has none.
  std::vector<std::string> classes_of_files() const {
    std::vector<std::string> classes;
    if (std::error_code ignored; fs::exists(folder_ / kAnnotations, ignored)) {
      const auto annotated = read_annotations(folder_ / kAnnotations);
      for (const fs::path& file : files_) {
        const auto found = annotated.find(file.filename().string());
        if (found == annotated.end()) throw bad_file(folder_ / file, std::string("is not in ") + kAnnotations);
        classes.push_back(found->second);
      }
      return classes;
    }
    for (const fs::path& file : files_) {
      if (!file.has_parent_path()) return {};
      classes.push_back(file.begin()->string());
    }
    return classes;
  }

  /// The classes of the second level, where a folder of classes lies in another that is none: "dataset/cat/1.png".
  std::vector<std::string> classes_below() const {
    std::vector<std::string> below;
    for (const fs::path& file : files_) {
      const fs::path second = *std::next(file.begin());
      if (second == file.filename()) return {};
      below.push_back(second.string());
    }
    return std::set<std::string>(below.begin(), below.end()).size() > 1 ? below : std::vector<std::string>{};
  }

  void label(const NetworkClasses& network) {
    std::vector<std::string> classes = classes_of_files();
    if (classes.empty()) return;
    std::set<std::string> different(classes.begin(), classes.end());
    if (std::all_of(different.begin(), different.end(), is_name_of_part)) {
      throw bad_file(folder_, "holds parts of a data set and no classes; give one of them, such as " +
                                  (folder_ / *different.begin()).string());
    }
    if (different.size() == 1 && !fs::exists(folder_ / kAnnotations) &&
        labels_of_class_folders(folder_, {classes.front()}, network).naming == Naming::kSorted) {
      if (std::vector<std::string> below = classes_below(); !below.empty()) {
        notes_.push_back((folder_ / *different.begin()).string() +
                         " is the only folder there: the classes are the folders in it");
        classes = std::move(below);
        different = {classes.begin(), classes.end()};
      }
    }
    const std::vector<std::string> names(different.begin(), different.end());
    FolderLabels labels = labels_of_class_folders(folder_, names, network);
    class_names_ = std::move(labels.class_names);
    naming_ = labels.naming;
    if (!labels.note.empty()) notes_.push_back(labels.note);
    labels_ = at::empty({size()}, at::kLong);
    for (std::size_t i = 0; i < classes.size(); ++i) {
      const auto place = std::lower_bound(names.begin(), names.end(), classes[i]) - names.begin();
      labels_.data_ptr<int64_t>()[i] = labels.labels[static_cast<std::size_t>(place)];
    }
  }

  fs::path folder_;
  int64_t channels_;
  std::vector<fs::path> files_;  ///< relative to the folder
};

}  // namespace

std::unique_ptr<ImageSet> open_image_folder(const fs::path& folder, const ReadOptions& options) {
  return as_read(std::make_unique<FolderImages>(folder, options), options);
}

}  // namespace sextant::data
