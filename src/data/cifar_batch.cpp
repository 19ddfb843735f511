// Files of CIFAR: in the binary version records of label bytes (one, or CIFAR-100's coarse and fine) and 32x32 pixels,
// red, green, blue plane by plane; in the python version a pickled dictionary of data [N, 3072] and lists of labels.
#include <c10/util/StringUtil.h>

#include <algorithm>

#include "cifar.h"
#include "files.h"
#include "internal/checkpoint/pickled_arrays.h"
#include "internal/runtime/text.h"

namespace sextant::data {
namespace {

using checkpoint::PickledArrays;

constexpr int64_t kSide = 32, kPixels = 3 * kSide * kSide;

Bytes bytes_of(const Tensor& bytes) { return {bytes.data_ptr<uint8_t>(), static_cast<std::size_t>(bytes.numel())}; }

PickledArrays unpickled(const Tensor& bytes) {
  return checkpoint::read_pickled_arrays({std::make_shared<Tensor>(bytes), bytes_of(bytes)});
}

CifarBatch binary_batch(const Tensor& bytes, const std::string& name, Cifar100Labels kind) {
  const bool hundred = name == "train.bin" || name == "test.bin";
  const int64_t labels = hundred ? 2 : 1, record = labels + kPixels;
  if (bytes.numel() == 0 || bytes.numel() % record != 0) {
    throw std::runtime_error(c10::str(name, " has ", bytes.numel(), " bytes, which are no records of ", record));
  }
  const Tensor records = bytes.view({-1, record});
  CifarBatch batch{records.slice(1, labels).unflatten(1, {3, kSide, kSide}),
                   records.select(1, hundred && kind == Cifar100Labels::kFine ? 1 : 0).to(at::kLong)};
  const int64_t classes = !hundred ? 10 : kind == Cifar100Labels::kFine ? 100 : 20;
  if (batch.labels.max().item<int64_t>() >= classes)
    throw std::runtime_error(c10::str(name, " has a label above ", classes - 1));
  return batch;
}

Tensor labels_of(const PickledArrays& file, const std::string& name) {
  if (const auto list = file.numbers.find(name); list != file.numbers.end()) return at::tensor(list->second, at::kLong);
  const auto array = file.arrays.find(name);
  return array == file.arrays.end() ? Tensor() : array->second.to(at::kLong).flatten();
}

CifarBatch python_batch(const Tensor& bytes, const std::string& name, Cifar100Labels kind) {
  const PickledArrays file = unpickled(bytes);
  const auto data = file.arrays.find("data");
  if (data == file.arrays.end() || data->second.scalar_type() != at::kByte || data->second.dim() != 2 ||
      data->second.size(1) != kPixels || data->second.size(0) == 0) {
    throw std::runtime_error(c10::str(
        name, " is a pickle without CIFAR's data as uint8 [N, ", kPixels, "]",
        data == file.arrays.end() ? std::string()
                                  : c10::str(": it is ", data->second.scalar_type(), " ", data->second.sizes())));
  }
  Tensor labels = labels_of(file, "labels");
  if (!labels.defined()) labels = labels_of(file, kind == Cifar100Labels::kFine ? "fine_labels" : "coarse_labels");
  if (!labels.defined() || labels.size(0) != data->second.size(0)) {
    throw std::runtime_error(c10::str(name, " has ", labels.defined() ? labels.size(0) : 0, " labels for ",
                                      data->second.size(0), " images"));
  }
  if (labels.min().item<int64_t>() < 0) throw std::runtime_error(name + " has a label below 0");
  return {data->second.unflatten(1, {3, kSide, kSide}), labels};
}

}  // namespace

CifarBatch read_cifar_batch(const Tensor& bytes, const std::string& name, Cifar100Labels kind) {
  const bool python = checkpoint::is_pickle(bytes_of(bytes)) && !name.ends_with(".bin");
  return python ? python_batch(bytes, name, kind) : binary_batch(bytes, name, kind);
}

std::vector<std::string> read_cifar_names(const Tensor& bytes, const std::string& name, Cifar100Labels kind) {
  if (!name.ends_with(".txt")) {
    const PickledArrays file = unpickled(bytes);
    for (const char* key : {"label_names", kind == Cifar100Labels::kFine ? "fine_label_names" : "coarse_label_names"}) {
      if (const auto names = file.texts.find(key); names != file.texts.end()) return names->second;
    }
    return {};
  }
  std::vector<std::string> names;
  for (const std::string& line : split(std::string(checkpoint::as_text(bytes_of(bytes))), '\n')) {
    if (std::string text = trimmed(line); !text.empty()) names.push_back(std::move(text));
  }
  return names;
}

}  // namespace sextant::data
