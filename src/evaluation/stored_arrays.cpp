#include "stored_arrays.h"

#include <c10/util/StringUtil.h>

#include <algorithm>
#include <map>
#include <optional>

#include "internal/checkpoint/pickled_arrays.h"
#include "sextant/checkpoint/checkpoint.h"
#include "sextant/runtime/error.h"

namespace sextant::evaluation {

namespace fs = std::filesystem;

namespace {

bool is_named_as_pickle(const fs::path& path) { return path.extension() == ".pkl" || path.extension() == ".pickle"; }

std::map<std::string, Tensor> arrays_of_pickle(const fs::path& path) {
  try {
    const auto file = checkpoint::MappedFile::open(path);
    checkpoint::PickledArrays pickled = checkpoint::read_pickled_arrays({file, file->bytes()});
    for (const auto& [name, numbers] : pickled.numbers) pickled.arrays.emplace(name, at::tensor(numbers, at::kLong));
    return std::move(pickled.arrays);
  } catch (const checkpoint::Malformed& problem) {
    throw DataError(path.string() + ": " + problem.what());
  }
}

std::map<std::string, Tensor> arrays_of_checkpoint(const fs::path& path) {
  std::map<std::string, Tensor> arrays;
  for (const auto& [name, tensor] : checkpoint::load(path).tensors) arrays.emplace(name, tensor);
  return arrays;
}

}  // namespace

struct StoredArrays::Source {
  std::optional<checkpoint::NpzReader> npz;
  std::map<std::string, Tensor> arrays;
};

bool is_named_as_arrays(const fs::path& path) {
  const fs::path extension = path.extension();
  return is_named_as_pickle(path) || extension == ".pt" || extension == ".pth" || extension == ".safetensors";
}

StoredArrays::StoredArrays(const fs::path& path) : path_(path), source_(std::make_unique<Source>()) {
  try {
    if (is_named_as_pickle(path)) {
      source_->arrays = arrays_of_pickle(path);
    } else if (is_named_as_arrays(path)) {
      source_->arrays = arrays_of_checkpoint(path);
    } else {
      source_->npz.emplace(path);
    }
  } catch (const CheckpointError& problem) {
    throw DataError(problem.what());
  }
}

StoredArrays::~StoredArrays() = default;

bool StoredArrays::contains(const std::string& name) const {
  return source_->npz ? source_->npz->contains(name) : source_->arrays.count(name) > 0;
}

std::vector<std::string> StoredArrays::names() const {
  if (source_->npz) return source_->npz->names();
  std::vector<std::string> names;
  for (const auto& [name, array] : source_->arrays) names.push_back(name);
  return names;
}

std::vector<int64_t> StoredArrays::shape(const std::string& name) const {
  return source_->npz ? source_->npz->shape(name) : source_->arrays.at(name).sizes().vec();
}

Tensor StoredArrays::read(const std::string& name) const {
  try {
    return source_->npz ? source_->npz->read(name) : source_->arrays.at(name);
  } catch (const CheckpointError& problem) {
    throw DataError(problem.what());
  }
}

std::string StoredArrays::listed() const {
  constexpr std::size_t kShown = 10;
  const std::vector<std::string> all = names();
  std::string list;
  for (std::size_t i = 0; i < std::min(kShown, all.size()); ++i)
    list += c10::str(i > 0 ? ", " : "", all[i], " ", c10::IntArrayRef(shape(all[i])));
  return all.empty() ? "nothing" : all.size() > kShown ? list + ", ..." : list;
}

}  // namespace sextant::evaluation
