#include "cifar.h"

#include "fuzz/targets.h"
#include "internal/runtime/files.h"
#include "sextant/runtime/error.h"

namespace sextant::fuzz {

void cifar(const std::filesystem::path& file) {
  const std::string bytes = read_file(file);
  const Tensor tensor = at::empty({static_cast<int64_t>(bytes.size())}, at::kByte);
  std::copy(bytes.begin(), bytes.end(), tensor.data_ptr<uint8_t>());
  for (const char* name : {"data_batch_1", "train.bin", "meta", "batches.meta.txt"}) {
    for (const data::Cifar100Labels kind : {data::Cifar100Labels::kFine, data::Cifar100Labels::kCoarse}) {
      // The callers name the file.
      try {
        data::read_cifar_names(tensor, name, kind);
        data::read_cifar_batch(tensor, name, kind);
      } catch (const std::runtime_error&) {
      }
    }
  }
}

}  // namespace sextant::fuzz
