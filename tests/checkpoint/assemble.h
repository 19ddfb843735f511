// Hand-made pickles and zip archives: what no honest writer produces.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace sextant::testing {

inline std::string little_endian(uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i, value >>= 8) text += static_cast<char>(value & 0xff);
  return text;
}

// ---- pickle opcodes ----------------------------------------------------------------------------------

inline std::string number(int64_t value) {
  return std::string("\x8a\x08") + little_endian(static_cast<uint64_t>(value), 8);
}
inline std::string text(const std::string& value) { return std::string("X") + little_endian(value.size(), 4) + value; }
inline std::string global(const std::string& module, const std::string& name) {
  return std::string("c") + module + "\n" + name + "\n";
}
inline std::string put(uint32_t slot) { return std::string("r") + little_endian(slot, 4); }
inline std::string get(uint32_t slot) { return std::string("j") + little_endian(slot, 4); }
inline std::string tuple(const std::vector<std::string>& items) {
  std::string all = "(";
  for (const std::string& item : items) all += item;
  return all + "t";
}
inline std::string dict(const std::vector<std::pair<std::string, std::string>>& items) {
  std::string all = "}(";
  for (const auto& [key, value] : items) all += text(key) + value;
  return all + "u";
}
inline std::string pickle(const std::string& body) { return std::string("\x80\x02") + body + "."; }

/// A float32 tensor [numel] over the whole storage `key`.
inline std::string tensor(const std::string& key, int64_t numel, const std::string& device = "cpu",
                          const std::string& storage = global("torch", "FloatStorage")) {
  return global("torch._utils", "_rebuild_tensor_v2") +
         tuple({tuple({text("storage"), storage, text(key), text(device), number(numel)}) + "Q", number(0),
                tuple({number(numel)}), tuple({number(1)}), "\x89", global("collections", "OrderedDict") + ")R"}) +
         "R";
}

// ---- zip archives ------------------------------------------------------------------------------------

struct Member {
  std::string name, contents;
  bool deflate = false;
  int64_t header = -1;  ///< another member's local header, to overlap with it
};

inline std::string deflated(const std::string& contents) {
  z_stream stream = {};
  deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, contents.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(contents.data()));
  stream.avail_in = static_cast<uInt>(contents.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

inline std::string zip(const std::vector<Member>& members) {
  std::string file, directory;
  for (const Member& member : members) {
    const std::string data = member.deflate ? deflated(member.contents) : member.contents;
    const uint64_t crc =
        crc32(0, reinterpret_cast<const Bytef*>(member.contents.data()), static_cast<uInt>(member.contents.size()));
    const std::string common = little_endian(20, 2) + little_endian(0, 2) + little_endian(member.deflate ? 8 : 0, 2) +
                               little_endian(0, 4) + little_endian(crc, 4) + little_endian(data.size(), 4) +
                               little_endian(member.contents.size(), 4) + little_endian(member.name.size(), 2) +
                               little_endian(0, 2);
    const uint64_t header = member.header >= 0 ? static_cast<uint64_t>(member.header) : file.size();
    if (member.header < 0) file += "PK\x03\x04" + common + member.name + data;
    directory +=
        "PK\x01\x02" + little_endian(20, 2) + common + little_endian(0, 10) + little_endian(header, 4) + member.name;
  }
  const std::string count = little_endian(members.size(), 2);
  return file + directory + "PK\x05\x06" + little_endian(0, 4) + count + count + little_endian(directory.size(), 4) +
         little_endian(file.size(), 4) + little_endian(0, 2);
}

/// A PyTorch archive of `body` and storages "0", "1", ...
inline std::string archive(const std::string& body, const std::vector<std::string>& storages) {
  std::vector<Member> members = {{"archive/data.pkl", pickle(body)}};
  for (std::size_t i = 0; i < storages.size(); ++i)
    members.push_back({"archive/data/" + std::to_string(i), storages[i]});
  return zip(members);
}

inline std::string ones(int64_t count) {
  std::string bytes;
  for (int64_t i = 0; i < count; ++i) bytes += std::string("\x00\x00\x80\x3f", 4);
  return bytes;
}

}  // namespace sextant::testing
