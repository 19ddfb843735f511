// CIFAR-10 and CIFAR-100, binary and python version: which files they are made of.
#include "cifar.h"

#include <algorithm>
#include <fstream>

#include "files.h"
#include "internal/checkpoint/pickled_arrays.h"
#include "internal/runtime/text.h"
#include "memory_images.h"
#include "tar.h"

namespace sextant::data {
namespace {

namespace fs = std::filesystem;

/// CIFAR-100's batches, one a part.
bool is_batch_of_hundred(const std::string& name, Split split) {
  const std::string part = split == Split::kTest ? "test" : "train";
  return name == part || name == part + ".bin";
}

bool is_batch_of_ten(const std::string& name, Split split) {
  if (split == Split::kTest) return name == "test_batch" || name == "test_batch.bin";
  const std::string extension = fs::path(name).extension().string();
  return name.starts_with("data_batch_") && (extension.empty() || extension == ".bin");
}

bool is_batch(const std::string& name, Split split) {
  return is_batch_of_ten(name, split) || is_batch_of_hundred(name, split);
}

bool is_meta(const std::string& name, Cifar100Labels kind) {
  return name == "batches.meta" || name == "batches.meta.txt" || name == "meta" ||
         name == (kind == Cifar100Labels::kFine ? "fine_label_names.txt" : "coarse_label_names.txt");
}

/// Which of CIFAR-10's five training batches are not among the files, in a line; "" where none of them or all are.
std::string lacking(const fs::path& path, const Parts& parts) {
  constexpr int kBatches = 5;
  std::vector<std::string> names;
  for (int i = 1; i <= kBatches; ++i) {
    const std::string name = "data_batch_" + std::to_string(i);
    if (!parts.contains(name) && !parts.contains(name + ".bin")) names.push_back(name);
  }
  if (names.empty() || names.size() == kBatches) return "";
  return path.string() + " lacks " + joined(names, ", ") + " of CIFAR-10's five training batches; the others are read";
}

/// Takes out the binary version of batches whose Python version is there too: the same images. In a line, which; ""
/// where no batch is there twice.
std::string read_once(const fs::path& path, Parts& parts) {
  std::vector<std::string> names;
  for (const auto& [name, bytes] : parts) {
    if (parts.contains(name + ".bin")) names.push_back(name + ".bin");
  }
  for (const std::string& name : names) parts.erase(name);
  if (names.empty()) return "";
  return path.string() + ": " + joined(names, ", ") + " not read, the Python version of the same images is beside it";
}

/// Whether the folder has CIFAR's files: "train" and "test" are folders of many other sets.
bool is_folder_of_cifar(const fs::path& folder) {
  bool hundred = false, meta = false;
  for (const fs::path& entry : entries_of(folder)) {
    const std::string name = entry.filename().string();
    const bool file = fs::is_regular_file(entry);
    for (const Split split : {Split::kTrain, Split::kTest}) {
      if (file && is_batch_of_ten(name, split)) return true;
      hundred = hundred || (file && is_batch_of_hundred(name, split));
    }
    meta = meta || (file && (is_meta(name, Cifar100Labels::kFine) || name.ends_with(".bin")));
  }
  return hundred && meta;
}

bool begins_as_pickle(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  char head[3] = {};
  stream.read(head, sizeof head);
  return stream && checkpoint::is_pickle({reinterpret_cast<const uint8_t*>(head), sizeof head});
}

bool is_cifar(const fs::path& path) {
  if (fs::is_directory(path)) return is_folder_of_cifar(path);
  const fs::path extension = path.extension();
  if (extension == ".bin" || extension == ".tgz" || extension == ".tar" || path.stem().extension() == ".tar")
    return true;
  const std::string name = path.filename().string();
  return (is_batch(name, Split::kTrain) || is_batch(name, Split::kTest)) && fs::is_regular_file(path) &&
         begins_as_pickle(path);
}

Parts read_folder(const fs::path& folder, const std::function<bool(const std::string&)>& wanted) {
  Parts parts;
  for (const fs::path& entry : entries_of(folder)) {
    const std::string name = entry.filename().string();
    if (wanted(name) && fs::is_regular_file(entry)) parts[name] = read_whole(entry);
  }
  return parts;
}

}  // namespace

fs::path cifar_in(const fs::path& path) {
  if (is_cifar(path)) return path;
  if (!fs::is_directory(path)) return {};
  fs::path found;
  for (const fs::path& entry : entries_of(path)) {
    if (!fs::is_directory(entry) || !is_folder_of_cifar(entry)) continue;
    if (!found.empty()) throw bad_file(path, "holds two sets, " + found.string() + " and " + entry.string());
    found = entry;
  }
  return found;
}

std::unique_ptr<ImageSet> open_cifar(const fs::path& given, Split split, Cifar100Labels kind) {
  const fs::path inner = cifar_in(given), path = inner.empty() ? given : inner;
  const auto wanted = [&](const std::string& name) { return is_batch(name, split) || is_meta(name, kind); };
  const bool folder = fs::is_directory(path);
  const bool archive =
      !folder && (path.extension() == ".tgz" || path.extension() == ".tar" || path.stem().extension() == ".tar");
  Parts parts;
  if (folder) {
    parts = read_folder(path, wanted);
  } else if (archive) {
    parts = read_tar(path, wanted);
  } else {
    parts[path.filename().string()] = read_whole(path);
  }
  const std::string twice = read_once(path, parts);
  std::vector<std::string> class_names;
  std::vector<Tensor> pixels, labels;
  std::string file;
  try {
    for (const auto& [name, bytes] : parts) {
      file = name;
      if (is_meta(name, kind)) {
        class_names = read_cifar_names(bytes, name, kind);
        continue;
      }
      const CifarBatch batch = read_cifar_batch(bytes, name, kind);
      pixels.push_back(batch.pixels);
      labels.push_back(batch.labels);
    }
  } catch (const DataError&) {
    throw;
  } catch (const std::runtime_error& problem) {
    throw bad_file(folder ? path / file : path, problem.what());
  }
  if (pixels.empty()) {
    throw bad_file(path, std::string("holds no batches of CIFAR's ") + (split == Split::kTest ? "test" : "training") +
                             " part; expected " + (split == Split::kTest ? "test_batch" : "data_batch_*") +
                             " (CIFAR-10) or " + (split == Split::kTest ? "test" : "train") +
                             " (CIFAR-100), with .bin in the binary version");
  }
  const bool one = pixels.size() == 1;
  auto images = std::make_unique<MemoryImages>(path.string(), one ? pixels[0] : at::cat(pixels),
                                               one ? labels[0] : at::cat(labels), class_names);
  images->note(twice);
  if ((folder || archive) && split == Split::kTrain) images->note(lacking(path, parts));
  return images;
}

}  // namespace sextant::data
