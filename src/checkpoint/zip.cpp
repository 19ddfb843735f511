#include "zip.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <memory>

namespace sextant::checkpoint {
namespace {

constexpr uint32_t kLocalHeader = 0x04034b50, kCentralHeader = 0x02014b50, kEnd = 0x06054b50;
constexpr uint32_t kEnd64 = 0x06064b50, kLocator64 = 0x07064b50;
constexpr std::size_t kLocalSize = 30, kCentralSize = 46, kEndSize = 22, kEnd64Size = 56, kLocatorSize = 20;

/// A record of fixed layout inside the file; construction checks that it is there.
class Record {
 public:
  Record(Bytes file, uint64_t at, uint64_t size, const char* what) {
    if (at > file.size() || size > file.size() - at) {
      throw Malformed(std::string("the zip archive's ") + what +
                      " lies past the end of the file: truncated or damaged");
    }
    bytes_ = file.subspan(at, size);
  }
  uint64_t number(std::size_t at, int count) const {
    uint64_t value = 0;
    for (int i = count - 1; i >= 0; --i) value = value << 8 | bytes_[at + i];
    return value;
  }
  uint16_t u16(std::size_t at) const { return static_cast<uint16_t>(number(at, 2)); }
  uint32_t u32(std::size_t at) const { return static_cast<uint32_t>(number(at, 4)); }
  uint64_t u64(std::size_t at) const { return number(at, 8); }
  Bytes bytes() const { return bytes_; }

 private:
  Bytes bytes_;
};

struct Directory {
  uint64_t offset = 0, size = 0, entries = 0;
};

/// The end record is the file's last part; only its comment may follow it.
Directory find_directory(Bytes file) {
  constexpr std::size_t kLongestComment = 65535;
  const std::size_t furthest = std::min(file.size(), kEndSize + kLongestComment);
  for (std::size_t back = kEndSize; back <= furthest; ++back) {
    const uint64_t at = file.size() - back;
    const Record end(file, at, kEndSize, "end record");
    if (end.u32(0) != kEnd || end.u16(20) != back - kEndSize) continue;
    Directory directory{end.u32(16), end.u32(12), end.u16(10)};
    if (end.u16(4) != 0 && end.u16(4) != kFull16) throw Malformed("the zip archive spans several disks");
    uint64_t limit = at;
    if (at >= kLocatorSize) {
      const Record locator(file, at - kLocatorSize, kLocatorSize, "zip64 locator");
      if (locator.u32(0) == kLocator64) {
        limit = locator.u64(8);
        const Record end64(file, limit, kEnd64Size, "zip64 end record");
        if (end64.u32(0) != kEnd64) throw Malformed("the zip archive's zip64 end record is damaged");
        // Fields that fit 32 bits stand in both records, and must agree.
        const Directory large{end64.u64(48), end64.u64(40), end64.u64(32)};
        if ((directory.offset != kFull32 && directory.offset != large.offset) ||
            (directory.size != kFull32 && directory.size != large.size) ||
            (directory.entries != kFull16 && directory.entries != large.entries)) {
          throw Malformed("the zip archive's two end records contradict each other");
        }
        directory = large;
      }
    }
    if (directory.offset > limit || directory.size != limit - directory.offset) {
      throw Malformed("the zip archive's directory is not where its end record says: truncated or damaged");
    }
    return directory;
  }
  throw Malformed("the zip archive has no end record: truncated or damaged");
}

/// Sizes that do not fit 32 bits stand in the zip64 extra field, in this order.
void read_zip64(ZipMember& member, Bytes extra) {
  for (std::size_t at = 0; at + 4 <= extra.size();) {
    const Record head(extra, at, 4, "extra field");
    const Record field(extra, at + 4, head.u16(2), "extra field");
    if (head.u16(0) == 1) {
      std::size_t next = 0;
      for (uint64_t* value : {&member.size, &member.compressed, &member.header}) {
        if (*value != kFull32) continue;
        if (next + 8 > field.bytes().size()) throw Malformed("member " + shown(member.name) + " lacks its zip64 sizes");
        *value = field.u64(next);
        next += 8;
      }
    }
    at += 4 + field.bytes().size();
  }
}

void check_name(std::string_view name) {
  bool good = !name.empty() && name.front() != '/' && name.find('\0') == name.npos && name.find('\\') == name.npos;
  for (std::size_t at = 0; good && at <= name.size();) {
    const std::size_t slash = std::min(name.find('/', at), name.size());
    good = name.substr(at, slash - at) != "..";
    at = slash + 1;
  }
  if (!good) throw Malformed("the zip archive has a member with the unsafe name " + shown(name));
}

/// Checks the local header against the directory and finds the data behind it.
void locate_data(ZipMember& member, Bytes before_directory) {
  const Record local(before_directory, member.header, kLocalSize, "member header");
  const Record name(before_directory, member.header + kLocalSize, local.u16(26), "member name");
  if (local.u32(0) != kLocalHeader || as_text(name.bytes()) != member.name || local.u16(8) != member.method) {
    throw Malformed("the header of member " + shown(member.name) + " contradicts the archive's directory");
  }
  const uint64_t start = member.header + kLocalSize + local.u16(26) + local.u16(28);
  member.data = Record(before_directory, start, member.compressed, "member data").bytes();
}

void check_overlap(const std::vector<ZipMember>& members) {
  std::vector<const ZipMember*> sorted;
  for (const ZipMember& member : members) sorted.push_back(&member);
  std::sort(sorted.begin(), sorted.end(), [](auto* a, auto* b) { return a->header < b->header; });
  for (std::size_t i = 1; i < sorted.size(); ++i) {
    const ZipMember& before = *sorted[i - 1];
    if (before.header + kLocalSize + before.name.size() + before.compressed > sorted[i]->header) {
      throw Malformed("members " + shown(before.name) + " and " + shown(sorted[i]->name) + " of the archive overlap");
    }
  }
}

/// Inflates at most `count` bytes of a raw deflate stream into `out`; whether the stream ended exactly there.
bool inflate_into(Bytes in, uint8_t* out, std::size_t count, std::size_t* produced) {
  z_stream stream = {};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw Malformed("cannot be inflated: out of memory");
  const std::unique_ptr<z_stream, int (*)(z_stream*)> guard(&stream, inflateEnd);
  constexpr std::size_t kChunk = 1 << 30;  // zlib counts in 32 bits
  int status = Z_OK;
  std::size_t read = 0, written = 0;
  while (status == Z_OK) {
    const std::size_t in_now = std::min(kChunk, in.size() - read), out_now = std::min(kChunk, count - written);
    stream.next_in = const_cast<uint8_t*>(in.data() + read);
    stream.avail_in = static_cast<uInt>(in_now);
    stream.next_out = out + written;
    stream.avail_out = static_cast<uInt>(out_now);
    status = inflate(&stream, Z_NO_FLUSH);
    read += in_now - stream.avail_in;
    written += out_now - stream.avail_out;
    if (in_now == stream.avail_in && out_now == stream.avail_out) break;  // no progress: out of input or room
  }
  *produced = written;
  return status == Z_STREAM_END && written == count && read == in.size();
}

}  // namespace

bool is_zip(Bytes bytes) {
  const std::string_view start = as_text(bytes).substr(0, 4);
  return start == "PK\3\4" || start == "PK\5\6";  // the latter: an archive without members
}

ZipArchive::ZipArchive(Blob file) : file_(std::move(file)) {
  const Directory directory = find_directory(file_.bytes);
  if (directory.entries > directory.size / kCentralSize) {
    throw Malformed("the zip archive claims " + std::to_string(directory.entries) +
                    " members, more than its directory holds");
  }
  const Bytes records = file_.bytes.subspan(directory.offset, directory.size);
  const Bytes before_directory = file_.bytes.first(directory.offset);
  members_.reserve(directory.entries);
  uint64_t at = 0;
  for (uint64_t i = 0; i < directory.entries; ++i) {
    const Record record(records, at, kCentralSize, "directory");
    if (record.u32(0) != kCentralHeader) throw Malformed("the zip archive's directory is damaged");
    const uint64_t name_size = record.u16(28), extra_size = record.u16(30), comment_size = record.u16(32);
    ZipMember member;
    member.name = as_text(Record(records, at + kCentralSize, name_size, "directory").bytes());
    member.flags = record.u16(8);
    member.method = record.u16(10);
    member.crc = record.u32(16);
    member.compressed = record.u32(20);
    member.size = record.u32(24);
    member.header = record.u32(42);
    read_zip64(member, Record(records, at + kCentralSize + name_size, extra_size, "directory").bytes());
    check_name(member.name);
    if (!index_.emplace(member.name, members_.size()).second) {
      throw Malformed("the zip archive has two members named " + shown(member.name));
    }
    locate_data(member, before_directory);
    members_.push_back(std::move(member));
    at += kCentralSize + name_size + extra_size + comment_size;
  }
  if (at != directory.size) throw Malformed("the zip archive's directory has more in it than its end record says");
  check_overlap(members_);
}

const ZipMember* ZipArchive::find(const std::string& name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &members_[found->second];
}

Blob ZipArchive::read(const ZipMember& member, uint64_t largest) const {
  const std::string who = "member " + shown(member.name) + " of the archive ";
  if (member.flags & 1) throw Malformed(who + "is encrypted");
  Blob blob{file_.owner, member.data};
  if (member.method == 8) {
    // Deflate shrinks at most 1032 to 1: a larger claim is a lie and must not be allocated.
    if (member.size / 1032 > member.compressed) throw Malformed(who + "claims more bytes than it can hold");
    if (member.size > largest) throw Malformed(who + "inflates to " + std::to_string(member.size) + " bytes, too many");
    const std::shared_ptr<uint8_t[]> buffer(new uint8_t[member.size + 1]);
    std::size_t produced = 0;
    if (!inflate_into(member.data, buffer.get(), member.size, &produced))
      throw Malformed(who + "does not inflate: damaged");
    blob = {buffer, {buffer.get(), member.size}};
  } else if (member.method != 0) {
    throw Malformed(who + "is compressed by method " + std::to_string(member.method) + ", expected 0 or 8");
  } else if (member.size != member.compressed) {
    throw Malformed(who + "is stored but has two sizes");
  }
  if (crc32_z(0, blob.bytes.data(), blob.bytes.size()) != member.crc) {
    throw Malformed(who + "is damaged: its CRC-32 does not match");
  }
  return blob;
}

std::string ZipArchive::prefix(const ZipMember& member, std::size_t count) const {
  if (member.flags & 1) throw Malformed("member " + shown(member.name) + " of the archive is encrypted");
  if (member.method != 8) return std::string(as_text(member.data.first(std::min(count, member.data.size()))));
  std::string start(count, '\0');
  std::size_t produced = 0;
  inflate_into(member.data, reinterpret_cast<uint8_t*>(start.data()), count, &produced);
  start.resize(produced);
  return start;
}

}  // namespace sextant::checkpoint
