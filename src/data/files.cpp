#include "files.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <vector>

namespace sextant::data {

std::shared_ptr<const checkpoint::MappedFile> map_file(const std::filesystem::path& path) {
  try {
    return checkpoint::MappedFile::open(path);
  } catch (const checkpoint::Malformed& problem) {
    throw bad_file(path, problem.what());
  }
}

std::vector<std::filesystem::path> entries_of(const std::filesystem::path& folder) {
  std::error_code problem;
  std::vector<std::filesystem::path> entries;
  for (const auto& entry : std::filesystem::directory_iterator(folder, problem)) entries.push_back(entry.path());
  if (problem) throw bad_file(folder, "cannot be listed: " + problem.message());
  std::sort(entries.begin(), entries.end());
  return entries;
}

struct ByteStream::Inflater {
  z_stream stream = {};
  Bytes rest;  ///< input that zlib has not been given
  bool finished = false;
  ~Inflater() { inflateEnd(&stream); }
};

ByteStream::ByteStream(const std::filesystem::path& path) : path_(path), file_(map_file(path)) {
  const Bytes bytes = file_->bytes();
  if (bytes.size() < 2 || bytes[0] != 0x1f || bytes[1] != 0x8b) return;
  inflater_ = std::make_unique<Inflater>();
  constexpr int kGzip = 16;
  if (inflateInit2(&inflater_->stream, kGzip + MAX_WBITS) != Z_OK) throw bad_file(path_, "cannot be inflated");
  inflater_->rest = bytes;
}

ByteStream::~ByteStream() = default;

std::size_t ByteStream::read_some(uint8_t* out, std::size_t count) {
  if (!inflater_) {
    const Bytes bytes = file_->bytes();
    count = std::min(count, bytes.size() - position_);
    if (count > 0) std::memcpy(out, bytes.data() + position_, count);
    position_ += count;
    return count;
  }
  constexpr std::size_t kChunk = 1 << 24;
  z_stream& stream = inflater_->stream;
  std::size_t done = 0;
  while (done < count && !inflater_->finished) {
    if (stream.avail_in == 0) {
      const Bytes next = inflater_->rest.first(std::min(kChunk, inflater_->rest.size()));
      inflater_->rest = inflater_->rest.subspan(next.size());
      stream.next_in = const_cast<Bytef*>(next.data());
      stream.avail_in = static_cast<uInt>(next.size());
    }
    const std::size_t room = std::min(kChunk, count - done);
    stream.next_out = out + done;
    stream.avail_out = static_cast<uInt>(room);
    const int status = inflate(&stream, Z_NO_FLUSH);
    done += room - stream.avail_out;
    if (status == Z_STREAM_END) {
      inflater_->finished = true;
    } else if (status == Z_BUF_ERROR && inflater_->rest.empty() && stream.avail_in == 0) {
      throw bad_file(path_, "ends within its gzip stream: truncated");
    } else if (status != Z_OK && status != Z_BUF_ERROR) {
      throw bad_file(path_, "does not inflate: damaged");
    }
  }
  return done;
}

void ByteStream::read(uint8_t* out, std::size_t count) {
  if (read_some(out, count) != count) throw bad_file(path_, "ends early: truncated");
}

void ByteStream::skip(uint64_t count) {
  std::vector<uint8_t> scratch(std::min<uint64_t>(count, 1 << 16));
  while (count > 0) {
    const std::size_t now = std::min<uint64_t>(count, scratch.size());
    read(scratch.data(), now);
    count -= now;
  }
}

uint64_t ByteStream::most() const {
  constexpr uint64_t kDeflateAtMost = 1032;
  return inflater_ ? kDeflateAtMost * file_->bytes().size() : file_->bytes().size();
}

}  // namespace sextant::data
