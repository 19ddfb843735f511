#include "cifar.h"
#include "files.h"
#include "sextant/data/images.h"

namespace sextant::data {

namespace {

namespace fs = std::filesystem;

std::unique_ptr<ImageSet> open_any(const fs::path& path, const ReadOptions& options) {
  std::error_code problem;
  if (!fs::exists(path, problem)) throw bad_file(path, "does not exist or cannot be reached");
  if (const fs::path cifar = cifar_in(path); !cifar.empty()) return open_cifar(cifar, Split::kTrain, options.cifar100);
  if (fs::is_directory(path, problem)) {
    // The folder of a run: its grid.png is no sample.
    const bool run = fs::exists(path / "samples.npz", problem);
    return run ? open_npz_images(path / "samples.npz")
               : open_image_folder(path, {.channels = options.channels, .classes = options.classes});
  }
  if (path.extension() == ".npz") return open_npz_images(path);
  if (path.filename().string().find("idx3") != std::string::npos) return open_idx(path);
  throw bad_file(
      path,
      "is no image set; expected an .npz of samples, a folder of image files, CIFAR's files or an IDX file of "
      "images");
}

}  // namespace

std::unique_ptr<ImageSet> open_images(const std::filesystem::path& path, const ReadOptions& options) {
  return as_read(open_any(path, options), options);
}

}  // namespace sextant::data
