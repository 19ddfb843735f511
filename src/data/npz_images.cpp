#include "files.h"
#include "memory_images.h"
#include "sextant/checkpoint/checkpoint.h"

namespace sextant::data {
namespace {

Tensor sample_labels(const std::filesystem::path& path, const Tensor& labels, int64_t count) {
  if (labels.dim() != 1 || !at::isIntegralType(labels.scalar_type(), false)) {
    throw bad_file(path,
                   c10::str("arr_1 is ", labels.scalar_type(), " ", labels.sizes(), ", expected integer labels [N]"));
  }
  if (labels.size(0) != count) {
    throw bad_file(path, c10::str("has ", count, " images (arr_0) but ", labels.size(0), " labels (arr_1)"));
  }
  const Tensor wide = labels.to(at::kLong);
  if (wide.min().item<int64_t>() < 0) throw bad_file(path, "arr_1 has negative labels");
  return wide;
}

}  // namespace

std::unique_ptr<ImageSet> images_in_memory(const std::string& source, const Tensor& images, const Tensor& labels) {
  return std::make_unique<MemoryImages>(source, images, labels);
}

std::unique_ptr<ImageSet> open_npz_images(const std::filesystem::path& path) try {
  const checkpoint::NpzReader reader(path);
  Tensor images = reader.read("arr_0");
  if (images.dim() == 2 && images.scalar_type() == at::kFloat) {
    images = images.view({images.size(0), 1, 1, images.size(1)});
  } else if (images.dim() == 3) {
    images = images.unsqueeze(3);
  }
  const bool points = images.scalar_type() == at::kFloat && images.dim() == 4 && images.size(1) * images.size(2) == 1;
  const bool pictures =
      images.scalar_type() == at::kByte && images.dim() == 4 && (images.size(3) == 1 || images.size(3) == 3);
  if (!points && !pictures) {
    throw bad_file(
        path,
        c10::str(
            "arr_0 is ", images.scalar_type(), " ", images.sizes(),
            ", expected images as Byte [N, height, width, 3 or 1] from 0 to 255, or points as Float [N, dimension]"));
  }
  if (images.numel() == 0) throw bad_file(path, "arr_0 holds no images");
  const Tensor labels = reader.contains("arr_1") ? sample_labels(path, reader.read("arr_1"), images.size(0)) : Tensor();
  return std::make_unique<MemoryImages>(path.string(), images.permute({0, 3, 1, 2}), labels);
} catch (const CheckpointError& problem) {
  throw DataError(problem.what());
}

}  // namespace sextant::data
