// The array by itself: inside an archive its checksum would keep changes from the parser.
#include "npz/npy.h"

#include "fuzz/targets.h"

namespace sextant::fuzz {

void npy(const std::filesystem::path& file) {
  const auto mapped = checkpoint::MappedFile::open(file);
  const checkpoint::NpyHeader header = checkpoint::parse_npy_header(checkpoint::as_text(mapped->bytes()));
  const checkpoint::Blob data{mapped, mapped->bytes().subspan(header.length)};
  if (checkpoint::npy_data_size(header) == data.bytes.size()) checkpoint::npy_array(header, data);
}

}  // namespace sextant::fuzz
