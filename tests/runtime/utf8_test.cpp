#include "internal/runtime/utf8.h"

#include <gtest/gtest.h>

namespace sextant::testing {
namespace {

TEST(Utf8, HasShortestFormsOfCharactersAlone) {
  for (const char* text :
       {"", "plain", "caf\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x99\x82", "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(is_utf8(text)) << text;
  }
  // A lone continuation, Latin-1, an end too early, overlong forms, a surrogate, beyond U+10FFFF.
  for (const char* text : {"\x80", "caf\xe9", "\xe2\x82", "\xc0\xaf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf",
                           "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff", "a\xc3(b"}) {
    EXPECT_FALSE(is_utf8(text)) << one_line(text);
  }
}

TEST(OneLine, ShowsWhatATerminalWouldObey) {
  EXPECT_EQ(one_line("a\nb\tc\x1b[2J\x7f"), R"(a\nb\tc\x1b[2J\x7f)");
  EXPECT_EQ(one_line("\xc2\x9b"
                     "2J, caf\xc3\xa9"),
            "\\xc2\\x9b2J, caf\xc3\xa9")
      << "C1 controls begin sequences too";
  EXPECT_EQ(one_line("o\xff, \xe2\x82"), R"(o\xff, \xe2\x82)");
  EXPECT_EQ(one_line(std::string("a\0b", 3)), R"(a\x00b)");
  EXPECT_EQ(one_line("\xe2\x82\xac \xf0\x9f\x99\x82"), "\xe2\x82\xac \xf0\x9f\x99\x82");
}

}  // namespace
}  // namespace sextant::testing
