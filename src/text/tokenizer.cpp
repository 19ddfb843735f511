// CLIP's tokenizer. Token ids, in order: 256 bytes, 256 bytes that end a word, one per merge, start, end.
#include "sextant/text/tokenizer.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <unordered_map>

#include "repair.h"
#include "sextant/runtime/error.h"
#include "unicode.h"

namespace sextant::text {

/// Bytes in the order of their ids: printable ones of Latin-1 first. The vocabulary writes them as themselves and the
/// others as U+0100 and after, so that it is readable text without spaces.
struct ByteTable {
  std::array<unsigned char, 256> byte_of_id;
  std::array<int64_t, 256> id_of_byte;
  std::unordered_map<char32_t, int64_t> id_of_symbol;

  ByteTable() {
    const auto printable = [](int b) { return (b >= 0x21 && b <= 0x7e) || (b >= 0xa1 && b <= 0xac) || b >= 0xae; };
    int64_t id = 0;
    char32_t substitute = 0x100;
    for (const bool wanted : {true, false}) {
      for (int b = 0; b < 256; ++b) {
        if (printable(b) != wanted) continue;
        byte_of_id[id] = static_cast<unsigned char>(b);
        id_of_byte[b] = id;
        id_of_symbol[wanted ? static_cast<char32_t>(b) : substitute++] = id;
        ++id;
      }
    }
  }
};

namespace {

constexpr int64_t kWordEnd = 256;  ///< added to the id of a word's last byte
constexpr int64_t kMerges = 49152 - 256 - 2;
constexpr int64_t kStart = 512 + kMerges;
constexpr int64_t kEnd = kStart + 1;
constexpr std::u32string_view kStartText = U"<|startoftext|>";
constexpr std::u32string_view kEndText = U"<|endoftext|>";

std::string read_gzip(const std::filesystem::path& path) {
  constexpr std::size_t kLimit = 16 << 20;  // the true one has 3 MB
  // A pipe or a device may have no end, or nobody who writes.
  const gzFile file = std::filesystem::is_regular_file(path) ? gzopen(path.c_str(), "rb") : nullptr;
  if (!file) {
    throw CheckpointError("ClipTokenizer: cannot open the vocabulary " + path.string() +
                          "; it is bundled as models/clip/bpe_simple_vocab_16e6.txt.gz");
  }
  std::string text;
  std::array<char, 1 << 16> buffer;
  int count = 0;
  while (text.size() < kLimit && (count = gzread(file, buffer.data(), buffer.size())) > 0)
    text.append(buffer.data(), count);
  gzclose(file);
  if (count != 0) throw CheckpointError("ClipTokenizer: " + path.string() + " is not the gzipped vocabulary of CLIP");
  return text;
}

uint64_t pair_key(int64_t first, int64_t second) {
  return static_cast<uint64_t>(first) << 32 | static_cast<uint64_t>(second);
}

/// White space collapsed to single spaces, none at the ends.
std::u32string collapse_spaces(const std::u32string& text) {
  std::u32string result;
  for (const char32_t c : text) {
    if (!unicode::is_space(c)) {
      result += c;
    } else if (!result.empty() && result.back() != U' ') {
      result += U' ';
    }
  }
  if (!result.empty() && result.back() == U' ') result.pop_back();
  return result;
}

/// Length of the word that starts at text[i], 0 at white space: a special token, a contraction's ending, letters, one
/// number, or a run of other characters.
std::size_t word_length(std::u32string_view text, std::size_t i) {
  const std::u32string_view rest = text.substr(i);
  for (const std::u32string_view fixed :
       {kStartText, kEndText, std::u32string_view(U"'s"), std::u32string_view(U"'t"), std::u32string_view(U"'re"),
        std::u32string_view(U"'ve"), std::u32string_view(U"'m"), std::u32string_view(U"'ll"),
        std::u32string_view(U"'d")}) {
    if (rest.substr(0, fixed.size()) == fixed) return fixed.size();
  }
  if (unicode::is_number(rest[0])) return 1;
  const auto kind = [](char32_t c) {
    return unicode::is_space(c) ? 0 : unicode::is_letter(c) ? 1 : unicode::is_number(c) ? 2 : 3;
  };
  const int first = kind(rest[0]);
  if (first == 0) return 0;
  std::size_t length = 1;
  while (length < rest.size() && kind(rest[length]) == first) ++length;
  return length;
}

}  // namespace

struct ClipTokenizer::Vocabulary {
  ByteTable bytes;
  std::unordered_map<uint64_t, int64_t> merges;    ///< ids of two neighbours -> id of the token they become
  std::vector<std::pair<int64_t, int64_t>> parts;  ///< of each merged token, from id 512 on

  explicit Vocabulary(const std::filesystem::path& path) {
    const std::string text = read_gzip(path);
    const auto damaged = [&](const std::string& line) {
      return CheckpointError("ClipTokenizer: " + path.string() + " is not CLIP's vocabulary; unexpected line '" + line +
                             "'");
    };
    std::unordered_map<std::string, int64_t> ids;
    for (const auto& [symbol, id] : bytes.id_of_symbol) {
      const std::string name = unicode::encode({&symbol, 1});
      ids[name] = id;
      ids[name + "</w>"] = id + kWordEnd;
    }
    std::size_t at = text.find('\n') + 1;  // the first line is a version
    while (static_cast<int64_t>(parts.size()) < kMerges) {
      const std::size_t end = text.find('\n', at);
      const std::string line = text.substr(at, end - at);
      const std::size_t space = line.find(' ');
      const auto first = ids.find(line.substr(0, space));
      const auto second = ids.find(space == std::string::npos ? "" : line.substr(space + 1));
      if (end == std::string::npos || first == ids.end() || second == ids.end()) throw damaged(line.substr(0, 40));
      const int64_t id = 512 + static_cast<int64_t>(parts.size());
      parts.emplace_back(first->second, second->second);
      merges.emplace(pair_key(first->second, second->second), id);
      ids.emplace(first->first + second->first, id);
      at = end + 1;
    }
  }

  /// Byte-pair encoding of one word: the earliest learned merge first, at every place, until none applies.
  void encode_word(std::u32string_view word, std::vector<int64_t>& ids) const {
    std::vector<int64_t> symbols;
    for (const char byte : unicode::encode(word)) symbols.push_back(bytes.id_of_byte[static_cast<unsigned char>(byte)]);
    symbols.back() += kWordEnd;
    while (symbols.size() > 1) {
      int64_t best = kStart;  // merged ids ascend in the order they were learned
      for (std::size_t i = 0; i + 1 < symbols.size(); ++i) {
        const auto merge = merges.find(pair_key(symbols[i], symbols[i + 1]));
        if (merge != merges.end()) best = std::min(best, merge->second);
      }
      if (best == kStart) break;
      const auto [first, second] = parts[best - 512];
      std::size_t kept = 0;
      for (std::size_t i = 0; i < symbols.size(); ++i) {
        const bool merge = i + 1 < symbols.size() && symbols[i] == first && symbols[i + 1] == second;
        symbols[kept++] = merge ? best : symbols[i];
        i += merge ? 1 : 0;
      }
      symbols.resize(kept);
    }
    ids.insert(ids.end(), symbols.begin(), symbols.end());
  }

  void append_text(int64_t id, std::string& text) const {
    if (id >= 512) {
      append_text(parts[id - 512].first, text);
      append_text(parts[id - 512].second, text);
    } else {
      text += static_cast<char>(bytes.byte_of_id[id % kWordEnd]);
      if (id >= kWordEnd) text += ' ';
    }
  }
};

ClipTokenizer::ClipTokenizer(const std::filesystem::path& vocabulary)
    : vocabulary_(std::make_unique<const Vocabulary>(vocabulary)) {}

ClipTokenizer::~ClipTokenizer() = default;

std::vector<int64_t> ClipTokenizer::encode(const std::string& text, bool repair) const {
  std::u32string clean = unicode::decode(text, "ClipTokenizer");
  if (repair) clean = repair_text(clean);
  clean = unicode::lower(collapse_spaces(unescape_html(unescape_html(clean))));
  std::vector<int64_t> ids;
  for (std::size_t i = 0; i < clean.size();) {
    const std::size_t length = word_length(clean, i);
    const std::u32string_view word = std::u32string_view(clean).substr(i, length);
    if (word == kStartText || word == kEndText) {
      ids.push_back(word == kStartText ? kStart : kEnd);
    } else if (length > 0) {
      vocabulary_->encode_word(word, ids);
    }
    i += std::max<std::size_t>(length, 1);
  }
  return ids;
}

Tensor ClipTokenizer::tokenize(const std::vector<std::string>& texts, bool truncate, int64_t context_length) const {
  if (context_length < 2) throw UsageError("ClipTokenizer: context_length must leave room for start and end");
  Tensor tokens = at::zeros({static_cast<int64_t>(texts.size()), context_length}, at::kLong);
  int64_t* row = tokens.data_ptr<int64_t>();
  for (const std::string& text : texts) {
    const std::vector<int64_t> ids = encode(text);
    const auto room = static_cast<std::size_t>(context_length - 2);
    if (ids.size() > room && !truncate) {
      throw UsageError(c10::str("ClipTokenizer: '", text, "' has ", ids.size(), " tokens, but only ", room,
                                " fit; shorten it or allow truncation"));
    }
    const std::size_t kept = std::min(ids.size(), room);
    row[0] = kStart;
    std::copy_n(ids.begin(), kept, row + 1);
    row[kept + 1] = kEnd;
    row += context_length;
  }
  return tokens;
}

std::string ClipTokenizer::decode(const std::vector<int64_t>& ids) const {
  std::string text;
  for (const int64_t id : ids) {
    if (id < 0 || id > kEnd) throw UsageError(c10::str("ClipTokenizer: there is no token ", id));
    if (id >= kStart) {
      text += unicode::encode(id == kStart ? kStartText : kEndText);
    } else {
      vocabulary_->append_text(id, text);
    }
  }
  return text;
}

}  // namespace sextant::text
