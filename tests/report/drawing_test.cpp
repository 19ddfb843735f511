#include "sextant/report/drawing.h"

#include <gtest/gtest.h>

#include "internal/runtime/files.h"
#include "recorder.h"
#include "sextant/runtime/error.h"
#include "support/errors.h"
#include "support/golden.h"

namespace sextant::report {
namespace {

class DrawingTest : public ::testing::Test {
 protected:
  void SetUp() override { SEXTANT_NEEDS_CAIRO(); }

  static Drawing example() {
    Chart chart;
    chart.title = "Loss, γ = 0.3";
    chart.curves = {{"", {0, 1, 2}, {1, -3, 2}, true}};
    return draw(chart);
  }
};

TEST_F(DrawingTest, IsWrittenAsItsExtensionSays) {
  const testing::TemporaryFolder folder;
  const std::map<std::string, std::string> starts = {
      {"a.svg", "<?xml version=\"1.0\""}, {"a.pdf", "%PDF-1."}, {"a.png", "\x89PNG"}};
  for (const auto& [name, start] : starts) {
    write_drawing(folder / name, example());
    EXPECT_EQ(read_file(folder / name).substr(0, start.size()), start);
  }
  write_svg_and_png(folder / "b", example());
  EXPECT_TRUE(read_file(folder / "b.svg") == read_file(folder / "a.svg"));
  EXPECT_TRUE(read_file(folder / "b.png") == read_file(folder / "a.png"));
}

TEST_F(DrawingTest, IsTheSameInEveryByteWhenDrawnAgain) {
  const testing::TemporaryFolder folder;
  for (const char* extension : {".svg", ".pdf", ".png"}) {
    write_drawing(folder / (std::string("first") + extension), example());
    write_drawing(folder / (std::string("second") + extension), example());
    const std::string first = read_file(folder / (std::string("first") + extension));
    EXPECT_TRUE(read_file(folder / (std::string("second") + extension)) == first) << extension;
    EXPECT_EQ(first.find("CreationDate"), std::string::npos) << extension;
  }
}

TEST_F(DrawingTest, SaysWhatItCannotWrite) {
  const testing::TemporaryFolder folder;
  EXPECT_NE(testing::message_of<UsageError>([&] {
              write_drawing(folder / "a.gif", example());
            }).find("a.gif: the extension must be .svg, .pdf or .png"),
            std::string::npos);
  EXPECT_NE(testing::message_of([&] {
              write_drawing(folder / "none/a.svg", example());
            }).find("none/a.svg: cannot be created: No such file"),
            std::string::npos);
}

TEST_F(DrawingTest, ShortensWordsBetweenCharacters) {
  const Letters letters{12};
  const std::string words = "λλλλλλλλ";
  EXPECT_EQ(fitted(words, letters, text_width(words, letters)), words);
  const double room = text_width("λλ…λ", letters);
  EXPECT_EQ(fitted(words, letters, room + 0.01), "λλ…λ");
  EXPECT_EQ(fitted(words, letters, 0), "…");
}

}  // namespace
}  // namespace sextant::report
