#include "cifar.h"
#include "files.h"
#include "sextant/data/images.h"

namespace sextant::data {

std::unique_ptr<ImageSet> open_images(const std::filesystem::path& path) {
  namespace fs = std::filesystem;
  std::error_code problem;
  if (!fs::exists(path, problem)) throw bad_file(path, "does not exist or cannot be reached");
  if (is_cifar10(path)) return open_cifar10(path);
  if (fs::is_directory(path, problem)) {
    // The folder of a run: its grid.png is no sample.
    return fs::exists(path / "samples.npz", problem) ? open_npz_images(path / "samples.npz") : open_image_folder(path);
  }
  if (path.extension() == ".npz") return open_npz_images(path);
  if (path.filename().string().find("idx3") != std::string::npos) return open_idx(path);
  throw bad_file(path,
                 "is no image set; expected an .npz of samples, a folder of PNG or JPEG files, CIFAR-10's binary "
                 "version or an IDX file of images");
}

}  // namespace sextant::data
