#include "internal/runtime/content_hash.h"

#include <gtest/gtest.h>

#include <string>

namespace sextant {
namespace {

std::string digits_of(std::initializer_list<std::string> pieces) {
  ContentHash hash;
  for (const std::string& piece : pieces) hash.add(piece);
  return hash.digits();
}

class ContentHashes : public ::testing::Test {
  void SetUp() override {
    if (ContentHash().digits().empty()) GTEST_SKIP() << "built without xxHash";
  }
};

TEST_F(ContentHashes, AreXxh3) {
  // XXH3_128bits of no bytes, as xxhsum -H2 prints it.
  EXPECT_EQ(ContentHash().digits(), "99aa06d3014798d86001c324468d497f");
}

TEST_F(ContentHashes, CountWhereOnePieceEndsAndTheNextBegins) {
  EXPECT_EQ(digits_of({"ab", "c"}), digits_of({"ab", "c"}));
  EXPECT_NE(digits_of({"ab", "c"}), digits_of({"a", "bc"}));
  EXPECT_NE(digits_of({"ab", "c"}), digits_of({"ab", "c", ""}));
}

}  // namespace
}  // namespace sextant
