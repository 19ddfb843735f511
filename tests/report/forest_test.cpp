#include "internal/report/forest.h"

#include <gtest/gtest.h>

#include "recorder.h"
#include "sextant/runtime/error.h"

namespace sextant::report {
namespace {

class ForestTest : public ::testing::Test {
 protected:
  void SetUp() override { SEXTANT_NEEDS_CAIRO(); }
};

Forest forest_of(std::vector<std::optional<ForestEntry>> entries) {
  Forest forest{"differences", {}, {{"FID", true, std::move(entries)}}};
  for (std::size_t i = 0; i < forest.panels[0].rows.size(); ++i) forest.rows.push_back("row " + std::to_string(i));
  return forest;
}

TEST_F(ForestTest, HasADotAndAnIntervalForEachEntry) {
  const Recorder drawn = recorded(draw(forest_of({ForestEntry{-2, -3, -1}, std::nullopt, ForestEntry{1, -1, 3}})));
  ASSERT_EQ(drawn.dots.size(), 2u);
  EXPECT_LT(drawn.dots[0].x, drawn.dots[1].x);
  std::vector<Recorder::Line> intervals;
  for (const auto& line : drawn.lines) {
    if (line.stroke.width == 2) intervals.push_back(line);
  }
  ASSERT_EQ(intervals.size(), 2u);
  // From -3 to -1 is half as long as from -1 to 3, and the second begins where the first ends.
  const auto length = [](const Recorder::Line& line) { return line.points[1].x - line.points[0].x; };
  EXPECT_NEAR(2 * length(intervals[0]), length(intervals[1]), 1e-9);
  EXPECT_NEAR(intervals[0].points[1].x, intervals[1].points[0].x, 1e-9);
  EXPECT_GT(intervals[0].stroke.colour.green, intervals[0].stroke.colour.red) << "less is better, and it is sure";
  EXPECT_EQ(intervals[1].stroke.colour.green, intervals[1].stroke.colour.red) << "zero lies within";
}

TEST_F(ForestTest, LargeOnesStandAtTheEdgeWithTheirNumber) {
  const Recorder drawn =
      recorded(draw(forest_of({ForestEntry{1, 0.5, 1.5}, ForestEntry{-1, -1.5, -0.5}, ForestEntry{120, 110, 130}})));
  EXPECT_EQ(drawn.dots.size(), 2u);
  EXPECT_EQ(drawn.areas.size(), 1u);
  EXPECT_TRUE(drawn.says("+120"));
  // Its interval would run through its number.
  EXPECT_EQ(
      std::count_if(drawn.lines.begin(), drawn.lines.end(), [](const auto& line) { return line.stroke.width == 2; }),
      2);
}

TEST_F(ForestTest, AnIntervalThatLeavesThePanelHasAnArrow) {
  const Recorder whole = recorded(draw(forest_of({ForestEntry{1, 0.5, 1.5}, ForestEntry{2, 1.5, 2.5}})));
  EXPECT_TRUE(whole.areas.empty());
  const Recorder cut =
      recorded(draw(forest_of({ForestEntry{1, 0.5, 1.5}, ForestEntry{-1, -1.5, -0.5}, ForestEntry{4, -9, 9}})));
  EXPECT_EQ(cut.dots.size(), 3u);
  EXPECT_EQ(cut.areas.size(), 2u) << "at either end";
}

TEST_F(ForestTest, TellsItsScaleOnBothSidesOfZero) {
  for (const double size : {0.28, 0.31, 0.9, 1.9, 4.7, 30.0}) {
    const Recorder drawn = recorded(draw(forest_of({ForestEntry{size, {}, {}}})));
    // Beside the title, the panel's and the row's name: zero, and as many numbers on its left as on its right.
    EXPECT_GE(drawn.texts.size(), 3u + 3u) << size;
    EXPECT_EQ(drawn.texts.size() % 2, 0u) << size;
  }
}

TEST_F(ForestTest, KeepsItsWordsApart) {
  Forest crowded = forest_of({ForestEntry{1000, 900, 1100}, ForestEntry{0.001, {}, {}}, ForestEntry{0.002, {}, {}}});
  crowded.title = std::string(200, 'g');
  crowded.rows[0] = std::string(200, 'w');
  crowded.panels.push_back(crowded.panels[0]);
  for (const Forest& forest : {crowded, forest_of({ForestEntry{0, 0, 0}}), forest_of({})}) {
    EXPECT_EQ(clashes(draw(forest)), std::vector<std::string>{});
  }
}

TEST_F(ForestTest, LongNamesThatDifferAtTheirEndsStayApart) {
  Forest forest = forest_of({ForestEntry{1, {}, {}}, ForestEntry{2, {}, {}}});
  for (std::size_t row = 0; row < 2; ++row) forest.rows[row] = std::string(100, 'g') + ", µ " + std::to_string(row);
  std::vector<std::string> names;
  for (const auto& text : recorded(draw(forest)).texts) {
    if (text.words.find("…") != std::string::npos) names.push_back(text.words);
  }
  ASSERT_EQ(names.size(), 2u);
  EXPECT_TRUE(names[0].ends_with("g, µ 0") && names[1].ends_with("g, µ 1")) << names[0];
}

TEST_F(ForestTest, RefusesPanelsOfAnotherLength) {
  Forest forest = forest_of({ForestEntry{1, {}, {}}});
  forest.rows.emplace_back("one more");
  EXPECT_THROW(draw(forest), ShapeError);
}

}  // namespace
}  // namespace sextant::report
