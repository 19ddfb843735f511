// PyTorch's containers: zip archives (1.6 and newer, TorchScript among them), legacy streams, and plain pickles.
#include <algorithm>
#include <map>

#include "formats.h"
#include "pickle/legacy.h"
#include "pickle/tree.h"
#include "sextant/checkpoint/checkpoint.h"
#include "zip.h"

namespace sextant::checkpoint {
namespace {

/// "archive/" of "archive/data.pkl": all other members lie beside it.
std::string archive_root(const ZipArchive& archive) {
  constexpr std::string_view kPickle = "data.pkl";
  const ZipMember* found = nullptr;
  for (const ZipMember& member : archive.members()) {
    const std::size_t slash = member.name.find('/');
    const std::string_view inside = std::string_view(member.name).substr(slash == std::string::npos ? 0 : slash + 1);
    if (inside != kPickle) continue;
    if (found)
      throw Malformed("the archive holds two checkpoints, " + shown(found->name) + " and " + shown(member.name));
    found = &member;
  }
  const auto is_array = [](const ZipMember& member) { return member.name.ends_with(".npy"); };
  if (!found && std::any_of(archive.members().begin(), archive.members().end(), is_array)) {
    throw Malformed("is an .npz of NumPy arrays; save the weights as safetensors");
  }
  if (!found) throw Malformed("is a zip archive without data.pkl: not a PyTorch checkpoint");
  return found->name.substr(0, found->name.size() - kPickle.size());
}

/// Storages of an archive: one member each, inflated or checked once.
class ArchiveStorages {
 public:
  ArchiveStorages(const ZipArchive& archive, std::string root) : archive_(archive), root_(std::move(root)) {}

  Blob operator()(const StorageRecord& storage) {
    const ZipMember* member = archive_.find(root_ + "data/" + std::string(storage.key));
    if (!member) throw Malformed("storage " + shown(storage.key) + " is not in the archive");
    const auto itemsize = static_cast<int64_t>(c10::elementSize(storage.dtype));
    int64_t size = 0;
    if (__builtin_mul_overflow(storage.numel, itemsize, &size) || member->size != static_cast<uint64_t>(size)) {
      throw Malformed("storage " + shown(storage.key) + " holds " + std::to_string(member->size) +
                      " bytes, which is not " + std::to_string(storage.numel) + " elements of " +
                      std::to_string(itemsize) + " bytes");
    }
    Blob& blob = blobs_[member];
    if (!blob.owner) blob = archive_.read(*member);
    return blob;
  }

 private:
  const ZipArchive& archive_;
  std::string root_;
  std::map<const ZipMember*, Blob> blobs_;
};

}  // namespace

Checkpoint read_pytorch_zip(const std::shared_ptr<const MappedFile>& file) {
  const ZipArchive archive({file, file->bytes()});
  const std::string root = archive_root(archive);
  if (const ZipMember* order = archive.find(root + "byteorder")) {
    if (as_text(archive.read(*order, 16).bytes) != "little") throw Malformed("is big-endian, which is not supported");
  }
  // The storages, which do not compress, are in the same file: its size bounds any honest pickle.
  const Blob text = archive.read(*archive.find(root + "data.pkl"), (1 << 20) + 16 * file->bytes().size());
  const Pickle pickle = read_pickle(text);
  const bool program = archive.find(root + "constants.pkl") != nullptr;
  // Freezing makes constants of the program of them.
  const std::string frozen =
      program ? " beside its TorchScript program, which was frozen with them; to run it, which is code, name the "
                "architecture torchscript"
              : "";
  Checkpoint checkpoint = checkpoint_from(pickle, ArchiveStorages(archive, root), frozen);
  checkpoint.format = program ? Format::kTorchScript : Format::kPyTorchZip;
  return checkpoint;
}

Checkpoint read_pytorch_legacy(const std::shared_ptr<const MappedFile>& file) {
  const Pickle pickle = read_legacy({file, file->bytes()});
  Checkpoint checkpoint = checkpoint_from(pickle, [](const StorageRecord& storage) { return storage.blob; });
  checkpoint.format = Format::kPyTorchLegacy;
  return checkpoint;
}

Checkpoint read_plain_pickle(const std::shared_ptr<const MappedFile>& file) {
  const Pickle pickle = read_pickle({file, file->bytes()});
  if (pickle.length != file->bytes().size()) throw Malformed("has bytes after the end of its pickle: damaged");
  Checkpoint checkpoint = checkpoint_from(pickle, [](const StorageRecord& storage) -> Blob {
    throw Malformed("refers to storage " + shown(storage.key) + ", which a plain pickle cannot hold");
  });
  checkpoint.format = Format::kPickle;
  return checkpoint;
}

}  // namespace sextant::checkpoint
