#include <algorithm>

#include "files.h"
#include "sextant/data/images.h"

namespace sextant::data {

std::unique_ptr<ImageSet> open_images(const std::filesystem::path& path) {
  namespace fs = std::filesystem;
  const std::string name = path.filename().string();
  const auto ends_with = [&](const std::string& end) {
    return name.size() >= end.size() && name.compare(name.size() - end.size(), end.size(), end) == 0;
  };
  std::error_code problem;
  if (fs::is_directory(path, problem)) {
    const fs::directory_iterator files(path, problem);
    if (problem) throw bad_file(path, "cannot be listed: " + problem.message());
    const bool cifar = std::any_of(begin(files), end(files), [](const fs::directory_entry& entry) {
      return entry.path().filename().string().starts_with("data_batch_") && entry.path().extension() == ".bin";
    });
    if (cifar) return open_cifar10(path);
    // The folder of a run: its grid.png is no sample.
    return fs::exists(path / "samples.npz", problem) ? open_npz_images(path / "samples.npz") : open_image_folder(path);
  }
  if (!fs::exists(path, problem)) throw bad_file(path, "does not exist or cannot be reached");
  if (ends_with(".npz")) return open_npz_images(path);
  if (ends_with(".bin") || ends_with(".tar.gz") || ends_with(".tgz") || ends_with(".tar")) return open_cifar10(path);
  if (name.find("idx3") != std::string::npos) return open_idx(path);
  throw bad_file(path,
                 "is no image set; expected an .npz of samples, a folder of PNG or JPEG files, CIFAR-10's binary "
                 "version or an IDX file of images");
}

}  // namespace sextant::data
