#include "pickle/legacy.h"

#include <algorithm>
#include <unordered_map>

namespace sextant::checkpoint {
namespace {

// 0x1950a86a20f9469cfc6c, little-endian, and how a pickle of protocol 2 or newer holds it.
constexpr std::string_view kMagic("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 10);
constexpr std::string_view kPickledMagic("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 13);
constexpr int64_t kProtocol = 1001;

/// The stream's parts, one after the other.
class Cursor {
 public:
  Cursor(const Blob& stream, int depth) : rest_(stream), depth_(depth) {}

  Pickle pickle() {
    Pickle next = read_pickle(rest_, depth_);
    rest_.bytes = rest_.bytes.subspan(next.length);
    return next;
  }

  Blob take(uint64_t count) {
    if (count > rest_.bytes.size()) throw Malformed("ends within the storages: truncated");
    const Blob taken{rest_.owner, rest_.bytes.first(count)};
    rest_.bytes = rest_.bytes.subspan(count);
    return taken;
  }

  bool finished() const { return rest_.bytes.empty(); }

 private:
  Blob rest_;
  int depth_;
};

int64_t little_endian(Bytes bytes) {
  uint64_t number = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) number = number << 8 | bytes[i];
  return static_cast<int64_t>(number);
}

void read_header(Cursor& cursor) {
  const Pickle magic = cursor.pickle();
  if (magic.top().kind != Kind::kBigInt || magic.top().text != kMagic) throw Malformed("is no PyTorch stream");
  const Pickle protocol = cursor.pickle();
  if (protocol.top().kind != Kind::kInt || protocol.top().integer != kProtocol) {
    throw Malformed("is a legacy PyTorch file of an unknown protocol, expected " + std::to_string(kProtocol));
  }
  const Pickle system = cursor.pickle();
  if (const Value* little = system.find(system.top(), "little_endian"); !little || little->integer != 1) {
    throw Malformed("was written on a big-endian machine, which is not supported");
  }
}

/// Gives every storage of `object` its bytes, in the order of the keys.
void read_storages(Cursor& cursor, Pickle& object) {
  std::unordered_map<std::string_view, std::vector<std::size_t>> by_key;
  for (std::size_t i = 0; i < object.storages.size(); ++i) {
    // Storages from inside byte strings have theirs already.
    if (!object.storages[i].blob.owner) by_key[object.storages[i].key].push_back(i);
  }
  const Pickle keys = cursor.pickle();
  if (keys.top().kind != Kind::kList) throw Malformed("the legacy PyTorch file lacks its list of storages");
  for (const ValueId id : keys.top().items) {
    const Value& key = keys[id];
    const auto users = key.kind == Kind::kText ? by_key.find(key.text) : by_key.end();
    if (users == by_key.end())
      throw Malformed("lists the storage " + shown(key.text) + " twice, or without a use for it");
    const int64_t numel = little_endian(cursor.take(8).bytes);
    const StorageRecord& first = object.storages[users->second.front()];
    const auto itemsize = static_cast<int64_t>(c10::elementSize(first.dtype));
    int64_t size = 0;
    if (numel != first.numel || __builtin_mul_overflow(numel, itemsize, &size)) {
      throw Malformed("storage " + shown(key.text) + " has " + std::to_string(numel) + " elements, expected " +
                      std::to_string(first.numel));
    }
    const Blob whole = cursor.take(static_cast<uint64_t>(size));
    for (const std::size_t index : users->second) {
      StorageRecord& user = object.storages[index];
      if (user.dtype != first.dtype || user.numel != first.numel) {
        throw Malformed("storage " + shown(key.text) + " is described in two ways");
      }
      user.blob = {whole.owner, whole.bytes.subspan(user.view_offset * itemsize, user.view_numel * itemsize)};
    }
    by_key.erase(users);
  }
  if (!by_key.empty()) throw Malformed("lacks the storage " + shown(by_key.begin()->first));
}

}  // namespace

bool is_legacy(Bytes bytes) {
  std::string_view start = as_text(bytes);
  if (start.size() < 2 || start[0] != '\x80') return false;
  start.remove_prefix(2);  // protocol
  constexpr std::size_t kFrame = 9;
  if (!start.empty() && start[0] == '\x95') start.remove_prefix(std::min(kFrame, start.size()));
  return start.substr(0, kPickledMagic.size()) == kPickledMagic;
}

Pickle read_legacy(const Blob& stream, int depth) {
  Cursor cursor(stream, depth);
  read_header(cursor);
  Pickle object = cursor.pickle();
  read_storages(cursor, object);
  if (!cursor.finished()) throw Malformed("has bytes after its last storage: damaged");
  return object;
}

StorageRecord read_legacy_storage(const Blob& stream, int depth) {
  const Pickle object = read_legacy(stream, depth);
  if (object.top().kind != Kind::kStorage) throw Malformed("a stored tensor is no storage");
  StorageRecord storage = object.storages[static_cast<std::size_t>(object.top().integer)];
  storage.numel = storage.view_numel;
  storage.view_offset = 0;
  return storage;
}

}  // namespace sextant::checkpoint
