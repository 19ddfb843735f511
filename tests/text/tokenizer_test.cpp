// CLIP's tokenizer against openai/CLIP with ftfy 6.3.1.
#include "sextant/text/tokenizer.h"

#include <fstream>

#include "sextant/runtime/error.h"
#include "support/errors.h"
#include "support/golden.h"

namespace sextant::text {
namespace {

const ClipTokenizer& tokenizer() {
  static const ClipTokenizer instance(testing::source_dir() / "models/clip/bpe_simple_vocab_16e6.txt.gz");
  return instance;
}

nlohmann::json token_lists() {
  const auto path = testing::golden_dir() / "models/clip_tokens.json";
  return std::filesystem::exists(path) ? nlohmann::json::parse(std::ifstream(path)) : nlohmann::json::object();
}

/// Every case of the file, whatever the list that holds them is called.
std::vector<nlohmann::json> cases() {
  std::vector<nlohmann::json> cases;
  const nlohmann::json file = token_lists();
  for (const auto& item : file.items()) {
    if (!item.value().is_array()) continue;
    for (const auto& one : item.value()) cases.push_back(one);
  }
  return cases;
}

std::vector<int64_t> ids(const nlohmann::json& one, const std::string& key) {
  return one.at(key).get<std::vector<int64_t>>();
}

TEST(ClipTokenizer, EncodesAsTheReferenceDoes) {
  if (cases().empty()) GTEST_SKIP() << "no clip_tokens.json";
  for (const auto& one : cases()) {
    const auto text = one.at("text").get<std::string>();
    EXPECT_EQ(tokenizer().encode(text), ids(one, "full_ids")) << text;
    EXPECT_EQ(tokenizer().encode(text, false), ids(one, "ids_without_ftfy")) << text;
  }
}

TEST(ClipTokenizer, PadsWithZerosAndTruncatesOnlyWhenAllowed) {
  if (cases().empty()) GTEST_SKIP() << "no clip_tokens.json";
  const auto length = token_lists().at("context_length").get<int64_t>();
  for (const auto& one : cases()) {
    const auto text = one.at("text").get<std::string>();
    std::vector<int64_t> expected = ids(one, "ids");
    expected.resize(length, 0);
    const Tensor row = tokenizer().tokenize({text}, true, length);
    EXPECT_TRUE(at::equal(row[0], at::tensor(expected, at::kLong))) << text;
    if (one.at("too_long").get<bool>()) {
      EXPECT_THROW(tokenizer().tokenize({text}, false, length), UsageError) << text;
    } else {
      EXPECT_TRUE(at::equal(tokenizer().tokenize({text}, false, length), row)) << text;
    }
  }
}

TEST(ClipTokenizer, DecodesAsTheReferenceDoes) {
  if (cases().empty()) GTEST_SKIP() << "no clip_tokens.json";
  for (const auto& one : cases()) {
    EXPECT_EQ(tokenizer().decode(ids(one, "full_ids")), one.at("decoded").get<std::string>());
  }
}

TEST(ClipTokenizer, RefusesBytesThatAreNotUtf8) {
  for (const std::string bytes : {"\xff", "caf\xe9", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"}) {
    EXPECT_THROW(tokenizer().encode(bytes), UsageError);
  }
}

TEST(ClipTokenizer, RepairsAccentsHangulAndHalfWidthKana) {
  const auto same = [](const std::string& damaged, const std::string& whole) {
    EXPECT_EQ(tokenizer().encode(damaged), tokenizer().encode(whole)) << damaged;
  };
  same("Vie\xcc\xa3\xcc\x82t", "Vi\u1ec7t");
  same("Vie\xcc\x82\xcc\xa3t", "Vi\u1ec7t");  // marks in the other order
  same("\u212b", "\u00e5");                   // the sign of the Angstrom is a letter
  same("\u1112\u1161\u11ab\u1100\u1173\u11af", "\ud55c\uae00");
  same("\uff76\uff9e\uff77", "\u30ac\u30ad");
  same("\x1b[36;44mblue\x1b[0m", "blue");
  same("Caf&eacute; it&rsquo;s", "caf\u00e9 it's");
}

TEST(ClipTokenizer, NamesAVocabularyThatIsMissingOrDamaged) {
  EXPECT_THROW(ClipTokenizer("nowhere.gz"), CheckpointError);
  const testing::TemporaryFolder folder;
  std::ofstream(folder / "short.txt") << "#version: 0.2\ni n\n";
  EXPECT_NE(testing::message_of<CheckpointError>([&] {
              ClipTokenizer(folder / "short.txt");
            }).find("is not CLIP's vocabulary"),
            std::string::npos);
}

}  // namespace
}  // namespace sextant::text
