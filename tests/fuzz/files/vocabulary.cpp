// The whole vocabulary is 1.4 MB packed, and most changes of a packed file are refused by its checksum. So the input
// stands for the lines from the hundredth on.
#include <zlib.h>

#include <array>
#include <fstream>

#include "fuzz/targets.h"
#include "internal/runtime/files.h"
#include "sextant/text/tokenizer.h"
#include "support/golden.h"

namespace sextant::fuzz {
namespace {

std::string whole_vocabulary() {
  std::string text;
  std::array<char, 1 << 16> buffer;
  const auto path = testing::source_dir() / "models/clip/bpe_simple_vocab_16e6.txt.gz";
  const gzFile file = gzopen(path.c_str(), "rb");
  for (int count = 0; (count = gzread(file, buffer.data(), buffer.size())) > 0;) text.append(buffer.data(), count);
  gzclose(file);
  return text;
}

std::size_t line(const std::string& text, int number) {
  std::size_t at = 0;
  for (int i = 0; i < number; ++i) at = text.find('\n', at) + 1;
  return at;
}

}  // namespace

void vocabulary(const std::filesystem::path& file) {
  static const std::string kWhole = whole_vocabulary();
  static const std::size_t kChanged = line(kWhole, 100);
  const std::string input = read_file(file);
  std::string text = kWhole;
  text.replace(kChanged, std::min(input.size(), text.size() - kChanged), input);
  // zlib reads a file that is not packed as it is.
  const std::string changed = file.string() + ".changed";
  std::ofstream(changed, std::ios::binary) << text;
  const text::ClipTokenizer tokenizer(changed);
  tokenizer.decode(tokenizer.encode("A photograph of a tench, and of 12 others."));
}

}  // namespace sextant::fuzz
