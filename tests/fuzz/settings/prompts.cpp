#include "common/prompts.h"

#include "fuzz/targets.h"
#include "internal/runtime/files.h"
#include "sextant/text/tokenizer.h"
#include "support/golden.h"

namespace sextant::fuzz {

void prompts(const std::filesystem::path& file) {
  static const text::ClipTokenizer kTokenizer(testing::source_dir() / "models/clip/bpe_simple_vocab_16e6.txt.gz");
  for (const std::string& text : commands::split_prompts(read_file(file))) {
    kTokenizer.tokenize({text}, true);
    kTokenizer.decode(kTokenizer.encode(text, false));
  }
}

}  // namespace sextant::fuzz
