#include <algorithm>
#include <set>

#include "files.h"
#include "sextant/data/images.h"

namespace sextant::data {
namespace {

namespace fs = std::filesystem;

bool is_image_name(const fs::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return extension == ".png" || extension == ".jpg" || extension == ".jpeg";
}

class FolderImages : public ImageSet {
 public:
  FolderImages(const fs::path& folder, int64_t channels) : folder_(folder), channels_(channels) {
    std::error_code problem;
    fs::recursive_directory_iterator entries(folder, fs::directory_options::follow_directory_symlink, problem);
    for (; !problem && entries != fs::recursive_directory_iterator(); entries.increment(problem)) {
      if (entries.depth() > kDeepest)
        throw bad_file(entries->path(), "is nested too deep; is it a link to a folder around it?");
      if (is_image_name(entries->path())) files_.push_back(entries->path().lexically_relative(folder));
    }
    if (problem) throw bad_file(folder, "cannot be listed: " + problem.message());
    if (files_.empty()) throw bad_file(folder, "holds no .png, .jpg or .jpeg images");
    std::sort(files_.begin(), files_.end());
    label_by_subfolder();
  }

  int64_t size() const override { return static_cast<int64_t>(files_.size()); }
  Tensor image(int64_t index) const override { return read_image(path(index), channels_); }
  std::string name(int64_t index) const override { return path(index).string(); }

 private:
  static constexpr int kDeepest = 32;

  fs::path path(int64_t index) const {
    if (index >= 0 && index < size()) return folder_ / files_[static_cast<std::size_t>(index)];
    throw bad_file(folder_, "has " + std::to_string(size()) + " images, asked for number " + std::to_string(index));
  }

  void label_by_subfolder() {
    std::set<std::string> names;
    for (const fs::path& file : files_) {
      if (!file.has_parent_path()) return;
      names.insert(file.begin()->string());
    }
    class_names_.assign(names.begin(), names.end());
    labels_ = at::empty({size()}, at::kLong);
    for (int64_t i = 0; i < size(); ++i) {
      const auto found = names.find(files_[static_cast<std::size_t>(i)].begin()->string());
      labels_.data_ptr<int64_t>()[i] = std::distance(names.begin(), found);
    }
  }

  fs::path folder_;
  int64_t channels_;
  std::vector<fs::path> files_;  ///< relative to the folder
};

}  // namespace

std::unique_ptr<ImageSet> open_image_folder(const fs::path& folder, int64_t channels) {
  return std::make_unique<FolderImages>(folder, channels);
}

}  // namespace sextant::data
