#include <zlib.h>

#include "internal/checkpoint/file.h"
#include "internal/runtime/files.h"
#include "npz/npy.h"
#include "sextant/checkpoint/checkpoint.h"
#include "sextant/runtime/error.h"
#include "zip.h"

namespace sextant::checkpoint {
namespace {

constexpr uint16_t kZip64Version = 45;

/// Little-endian fields one after the other.
class Fields {
 public:
  Fields& u16(uint64_t value) { return number(value, 2); }
  Fields& u32(uint64_t value) { return number(value, 4); }
  Fields& u64(uint64_t value) { return number(value, 8); }
  Fields& text(std::string_view value) { return bytes_ += value, *this; }
  const std::string& bytes() const { return bytes_; }

 private:
  Fields& number(uint64_t value, int count) {
    for (int i = 0; i < count; ++i, value >>= 8) bytes_ += static_cast<char>(value & 0xff);
    return *this;
  }
  std::string bytes_;
};

/// What local and central headers share: version, flags, method 0, 1980-01-01, CRC, sizes, lengths.
Fields common_header(uint32_t crc, uint64_t size, std::size_t name, std::size_t extra) {
  return Fields().u16(kZip64Version).u16(0).u16(0).u16(0).u16(0x21).u32(crc).u32(size).u32(size).u16(name).u16(extra);
}

uint32_t crc_of(const void* data, std::size_t size, uint32_t crc = 0) {
  return static_cast<uint32_t>(crc32_z(crc, static_cast<const Bytef*>(data), size));
}

}  // namespace

struct NpzWriter::State {
  explicit State(const std::filesystem::path& path_) : path(path_), file(path_) {}

  struct Member {
    std::string name;
    uint64_t offset = 0, size = 0;
    uint32_t crc = 0;
  };

  [[noreturn]] void refuse(const std::string& reason) const { throw CheckpointError(path.string() + ": " + reason); }

  std::filesystem::path path;
  AtomicFile file;
  std::vector<Member> members;
  // The array being written.
  bool open = false;
  at::ScalarType dtype = at::kByte;
  std::vector<int64_t> shape;
  std::size_t header_length = 0;
  uint32_t data_crc = 0;
  uint64_t data_size = 0;

  /// The zip64 extra field always stands here, so that the sizes can be filled in afterwards whatever they are.
  std::string local_header(const Member& member) const {
    const std::string extra = Fields().u16(1).u16(16).u64(member.size).u64(member.size).bytes();
    return Fields()
        .u32(0x04034b50)
        .text(common_header(member.crc, kFull32, member.name.size(), extra.size()).bytes())
        .text(member.name)
        .text(extra)
        .bytes();
  }

  std::string central_header(const Member& member) const {
    Fields extra;
    if (member.size >= kFull32) extra.u64(member.size).u64(member.size);
    if (member.offset >= kFull32) extra.u64(member.offset);
    std::string field;
    if (!extra.bytes().empty()) field = Fields().u16(1).u16(extra.bytes().size()).text(extra.bytes()).bytes();
    return Fields()
        .u32(0x02014b50)
        .u16(kZip64Version)
        .text(common_header(member.crc, std::min(member.size, kFull32), member.name.size(), field.size()).bytes())
        .u16(0)
        .u16(0)
        .u16(0)
        .u32(0)
        .u32(std::min(member.offset, kFull32))
        .text(member.name)
        .text(field)
        .bytes();
  }

  std::string header_of(std::size_t length) const {
    try {
      return npy_header(dtype, shape, length);
    } catch (const Malformed& problem) {
      refuse("cannot hold array " + shown(members.back().name) + ": " + problem.what());
    }
  }

  /// Fills in the headers of the array being written.
  void finish_array() {
    if (!open) return;
    open = false;
    Member& member = members.back();
    const std::string header = header_of(header_length);
    member.size = header.size() + data_size;
    member.crc = static_cast<uint32_t>(
        crc32_combine(crc_of(header.data(), header.size()), data_crc, static_cast<z_off_t>(data_size)));
    const std::string local = local_header(member);
    file.write_at(member.offset, local);
    file.write_at(member.offset + local.size(), header);
  }
};

NpzWriter::NpzWriter(const std::filesystem::path& path) : state_(std::make_unique<State>(path)) {}
NpzWriter::~NpzWriter() = default;

void NpzWriter::begin(const std::string& name, at::ScalarType dtype, at::IntArrayRef row) {
  State& state = *state_;
  state.finish_array();
  const std::string file_name = name + ".npy";
  const bool known =
      std::any_of(state.members.begin(), state.members.end(), [&](auto& m) { return m.name == file_name; });
  if (name.empty() || known || name.find_first_of("/\\") != std::string::npos) {
    state.refuse("cannot hold an array named " + shown(name) + (known ? " twice" : ""));
  }
  state.members.push_back({file_name, state.file.size(), 0, 0});
  state.dtype = dtype;
  state.shape = {std::numeric_limits<int64_t>::max()};  // reserve room for the longest row count
  state.shape.insert(state.shape.end(), row.begin(), row.end());
  const std::string header = state.header_of(0);
  state.header_length = header.size();
  state.shape[0] = 0;
  state.data_crc = 0;
  state.data_size = 0;
  state.file.write(state.local_header(state.members.back()));
  state.file.write(header);
  state.open = true;
}

void NpzWriter::append(const Tensor& rows) {
  State& state = *state_;
  if (!state.open) throw ShapeError("NpzWriter::append: expected begin() before it");
  const at::IntArrayRef row = at::IntArrayRef(state.shape).slice(1);
  if (rows.scalar_type() != state.dtype || rows.dim() < 1 || rows.sizes().slice(1) != row) {
    throw ShapeError(c10::str("NpzWriter::append: expected rows of shape ", row, " and dtype ", state.dtype,
                              ", got a tensor of shape ", rows.sizes(), " and dtype ", rows.scalar_type()));
  }
  const Tensor data = rows.detach().cpu().contiguous();
  if (data.numel() > 0) {
    state.data_crc = crc_of(data.data_ptr(), data.nbytes(), state.data_crc);
    state.file.write(data.data_ptr(), data.nbytes());
  }
  state.data_size += data.nbytes();
  state.shape[0] += data.size(0);
}

void NpzWriter::add(const std::string& name, const Tensor& array) {
  // One row more or less: an array is its own only row, without the leading axis.
  begin(name, array.scalar_type(), array.dim() == 0 ? at::IntArrayRef() : array.sizes().slice(1));
  append(array.dim() == 0 ? array.unsqueeze(0) : array);
  if (array.dim() == 0) state_->shape.clear();
  state_->finish_array();
}

void NpzWriter::close() {
  State& state = *state_;
  state.finish_array();
  const uint64_t directory = state.file.size();
  for (const State::Member& member : state.members) state.file.write(state.central_header(member));
  const uint64_t size = state.file.size() - directory, count = state.members.size();
  if (directory >= kFull32 || size >= kFull32 || count >= kFull16) {
    const uint64_t record = state.file.size();
    Fields end64;
    end64.u32(0x06064b50).u64(44).u16(kZip64Version).u16(kZip64Version).u32(0).u32(0);
    end64.u64(count).u64(count).u64(size).u64(directory);
    state.file.write(end64.u32(0x07064b50).u32(0).u64(record).u32(1).bytes());
  }
  Fields end;
  end.u32(0x06054b50).u16(0).u16(0).u16(std::min(count, kFull16)).u16(std::min(count, kFull16));
  state.file.write(end.u32(std::min(size, kFull32)).u32(std::min(directory, kFull32)).u16(0).bytes());
  state.file.commit();
}

void save_npz(const std::filesystem::path& path, const std::vector<std::pair<std::string, Tensor>>& arrays) {
  NpzWriter writer(path);
  for (const auto& [name, array] : arrays) writer.add(name, array);
  writer.close();
}

}  // namespace sextant::checkpoint
