// Texts as the numbers that CLIP reads.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "sextant/runtime/tensor.h"

namespace sextant::text {

/// CLIP's byte-pair encoding (Radford et al. 2021).
///
/// Text is UTF-8. Cleaning repairs text as ftfy does (mojibake, curly quotes, ligatures, full-width letters, decomposed
/// accents, control characters), resolves HTML entities (the 252 of HTML 4 and numeric ones), collapses white space and
/// lowers.
class ClipTokenizer {
 public:
  /// From the vocabulary `bpe_simple_vocab_16e6.txt.gz`. CheckpointError when it is missing or is another file.
  explicit ClipTokenizer(const std::filesystem::path& vocabulary);
  ~ClipTokenizer();

  /// Token ids without start and end, of any length. `repair` false leaves out what ftfy does.
  std::vector<int64_t> encode(const std::string& text, bool repair = true) const;
  /// [N, context_length] int64: start, text, end, zeros. A longer text is cut when `truncate`, with the end token last,
  /// and throws UsageError otherwise.
  Tensor tokenize(const std::vector<std::string>& texts, bool truncate = false, int64_t context_length = 77) const;
  /// The text of token ids, words separated by spaces. UsageError for an unknown id.
  std::string decode(const std::vector<int64_t>& ids) const;

 private:
  struct Vocabulary;
  std::unique_ptr<const Vocabulary> vocabulary_;
};

}  // namespace sextant::text
