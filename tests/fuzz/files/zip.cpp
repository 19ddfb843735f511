#include "zip.h"

#include "fuzz/targets.h"

namespace sextant::fuzz {

void zip(const std::filesystem::path& file) {
  const auto mapped = checkpoint::MappedFile::open(file);
  const checkpoint::ZipArchive archive({mapped, mapped->bytes()});
  for (const checkpoint::ZipMember& member : archive.members()) {
    archive.prefix(member, 64);
    try {
      archive.read(member, 1 << 24);
    } catch (const checkpoint::Malformed&) {
    }
  }
}

}  // namespace sextant::fuzz
