#include <new>
#include <optional>

#include "npz/npy.h"
#include "sextant/checkpoint/checkpoint.h"
#include "sextant/runtime/error.h"
#include "zip.h"

namespace sextant::checkpoint {

struct NpzReader::Archive {
  std::filesystem::path path;
  std::optional<ZipArchive> zip;
  std::map<std::string, const ZipMember*> arrays;

  CheckpointError failure(const std::string& reason) const { return CheckpointError(path.string() + ": " + reason); }
  CheckpointError failure(const std::string& name, const char* reason) const {
    return failure("array " + shown(name) + " " + reason);
  }
  const ZipMember& member(const std::string& name) const {
    const auto found = arrays.find(name);
    if (found != arrays.end()) return *found->second;
    std::string known;
    for (const auto& array : arrays) known += (known.empty() ? "" : ", ") + shown(array.first);
    throw failure("has no array '" + name + "'; it has " + (known.empty() ? "none" : known));
  }
};

NpzReader::NpzReader(const std::filesystem::path& path) : archive_(std::make_shared<Archive>()) {
  archive_->path = path;
  try {
    const auto file = MappedFile::open(path);
    if (file->bytes().empty()) throw Malformed("is empty");
    if (as_text(file->bytes()).substr(0, 6) == std::string_view("\x93NUMPY", 6)) {
      throw Malformed("is a single .npy array, expected an .npz archive; save it with numpy.savez");
    }
    if (!is_zip(file->bytes())) throw Malformed("is no .npz archive");
    archive_->zip.emplace(Blob{file, file->bytes()});
  } catch (const Malformed& problem) {
    throw archive_->failure(problem.what());
  }
  for (const ZipMember& member : archive_->zip->members()) {
    const std::string& name = member.name;
    if (name.size() > 4 && name.compare(name.size() - 4, 4, ".npy") == 0) {
      archive_->arrays[name.substr(0, name.size() - 4)] = &member;
    }
  }
}

bool NpzReader::contains(const std::string& name) const { return archive_->arrays.count(name) != 0; }

std::vector<std::string> NpzReader::names() const {
  std::vector<std::string> names;
  for (const auto& array : archive_->arrays) names.push_back(array.first);
  return names;
}

std::vector<int64_t> NpzReader::shape(const std::string& name) const {
  const ZipMember& member = archive_->member(name);
  try {
    return parse_npy_header(archive_->zip->prefix(member, kLongestNpyHeader)).shape;
  } catch (const Malformed& problem) {
    throw archive_->failure(name, problem.what());
  }
}

Tensor NpzReader::read(const std::string& name) const {
  const ZipMember& member = archive_->member(name);
  try {
    const auto header = parse_npy_header(archive_->zip->prefix(member, kLongestNpyHeader));
    // Checked before anything is inflated: the archive must hold what the header promises, no less and no more.
    const uint64_t size = npy_data_size(header);
    if (member.size < header.length || member.size - header.length != size) {
      throw Malformed("needs " + std::to_string(size) + " bytes for its shape, but has " +
                      std::to_string(member.size - std::min<uint64_t>(member.size, header.length)));
    }
    Blob blob = archive_->zip->read(member);
    blob.bytes = blob.bytes.subspan(header.length);
    return npy_array(header, blob);
  } catch (const Malformed& problem) {
    throw archive_->failure(name, problem.what());
  } catch (const std::bad_alloc&) {
    throw archive_->failure(name, "needs more memory than there is");
  }
}

std::map<std::string, Tensor> load_npz(const std::filesystem::path& path) {
  const NpzReader reader(path);
  std::map<std::string, Tensor> arrays;
  for (const std::string& name : reader.names()) arrays[name] = reader.read(name);
  return arrays;
}

}  // namespace sextant::checkpoint
