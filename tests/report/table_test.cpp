#include "internal/report/table.h"

#include "sextant/runtime/error.h"
#include "support/golden.h"

namespace sextant::report {
namespace {

const Table kTable{{"guidance", "FID", "note"}, {{"none", "19.25", "a|b"}, {"Kynkäänniemi", "2.1", "x, \"y\""}}};

TEST(Table, AlignsWordsToTheLeftAndNumbersToTheRightOnATerminal) {
  EXPECT_EQ(format_table(kTable, TableFormat::kTerminal),
            "guidance        FID  note\n"
            "------------  -----  ------\n"
            "none          19.25  a|b\n"
            "Kynkäänniemi    2.1  x, \"y\"\n");
}

TEST(Table, EscapesBarsInMarkdown) {
  EXPECT_EQ(format_table(kTable, TableFormat::kMarkdown),
            "| guidance | FID | note |\n"
            "| --- | ---: | --- |\n"
            "| none | 19.25 | a\\|b |\n"
            "| Kynkäänniemi | 2.1 | x, \"y\" |\n");
}

TEST(Table, QuotesCommasAndQuotesInCsv) {
  EXPECT_EQ(format_table(kTable, TableFormat::kCsv),
            "guidance,FID,note\r\nnone,19.25,a|b\r\nKynkäänniemi,2.1,\"x, \"\"y\"\"\"\r\n");
}

TEST(Table, TheFirstCellIsNoArgumentOfTheLineBeforeItInLatex) {
  const std::string latex =
      format_table({{"[a]", "b"}, {{"[1] plain", "[2]"}, {" *", "1"}, {"x [3]", "2"}}, {{2, 0}}}, TableFormat::kLatex);
  EXPECT_EQ(latex,
            "\\begin{tabular}{ll}\n\\toprule\n"
            "{}[a] & b \\\\\n\\midrule\n"
            "{}[1] plain & [2] \\\\\n"
            "{} * & 1 \\\\\n"
            "\\textbf{x [3]} & 2 \\\\\n"
            "\\bottomrule\n\\end{tabular}\n");
}

TEST(Table, RefusesRowsOfAnotherLength) {
  EXPECT_THROW(format_table({{"a", "b"}, {{"1"}}}, TableFormat::kCsv), ShapeError);
}

TEST(Fixed, WritesAsManyDigitsAsAskedFor) {
  EXPECT_EQ(fixed(2.345678, 2), "2.35");
  EXPECT_EQ(fixed(-1.0, 0), "-1");
  EXPECT_EQ(fixed(INFINITY, 3), "inf");
  EXPECT_EQ(fixed(1e308, 1).size(), 311u);
}

TEST(Digits, SmallNumbersGetDigitsThatShowThem) {
  EXPECT_EQ(digits_for({60.4, 152.9}, 2), 2);
  EXPECT_EQ(digits_for({0.0106, 2.5}, 2), 4);
  EXPECT_EQ(digits_for({0.0156, -0.1, 0}, 2), 4);
  EXPECT_EQ(digits_for({0.001}, 2), 5);
  EXPECT_EQ(digits_for({1e-9}, 2), 6);
  EXPECT_EQ(digits_for({INFINITY, NAN, 0}, 2), 2);
  EXPECT_EQ(digits_for({}, 1), 1);
}

}  // namespace
}  // namespace sextant::report
