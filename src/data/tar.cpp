// Tar: headers of 512 bytes, sizes octal, data padded to 512.
#include "tar.h"

#include "files.h"

namespace sextant::data {

namespace fs = std::filesystem;

namespace {

Tensor read_all(ByteStream& stream, uint64_t size) {
  Tensor bytes = at::empty({static_cast<int64_t>(size)}, at::kByte);
  stream.read(bytes.data_ptr<uint8_t>(), size);
  return bytes;
}

}  // namespace

Tensor read_whole(const fs::path& path) {
  ByteStream stream(path);
  return read_all(stream, fs::file_size(path));
}

Parts read_tar(const fs::path& path, const std::function<bool(const std::string&)>& wanted) {
  constexpr std::size_t kBlock = 512;
  ByteStream stream(path);
  Parts parts;
  uint8_t header[kBlock] = {};
  while (stream.read_some(header, kBlock) == kBlock && header[0] != 0) {
    const auto field = [&](std::size_t at, std::size_t width) {
      const std::string_view text(reinterpret_cast<const char*>(header) + at, width);
      return std::string(text.substr(0, text.find('\0')));
    };
    if (field(257, 5) != "ustar") throw bad_file(path, "is no tar archive");
    uint64_t size = 0;
    for (const char digit : field(124, 12)) {
      if (digit == ' ') continue;
      if (digit < '0' || digit > '7') throw bad_file(path, "has a tar member of unreadable size");
      size = size * 8 + static_cast<uint64_t>(digit - '0');
    }
    const std::string name = fs::path(field(0, 100)).filename().string();
    const char type = static_cast<char>(header[156]);
    const bool regular = type == '0' || type == '\0';
    const uint64_t padding = (kBlock - size % kBlock) % kBlock;
    if (!regular || !wanted(name)) {
      stream.skip(size + padding);
      continue;
    }
    if (size > stream.most()) throw bad_file(path, "has a member larger than the archive can hold");
    if (!parts.emplace(name, read_all(stream, size)).second) throw bad_file(path, "has two members called " + name);
    stream.skip(padding);
  }
  return parts;
}

}  // namespace sextant::data
