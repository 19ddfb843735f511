#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "recorder.h"
#include "sextant/report/drawing.h"
#include "sextant/runtime/error.h"
#include "style.h"
#include "support/errors.h"

namespace sextant::report {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

class ChartTest : public ::testing::Test {
 protected:
  void SetUp() override { SEXTANT_NEEDS_CAIRO(); }
};

Chart two_curves() {
  Chart chart;
  chart.title = "loss & more";
  chart.x_label = "step";
  chart.curves = {{"a<b", {0, 1, 2}, {1, 3, 2}}, {"c", {0, 1, 2}, {2, 2, 2}, true}};
  return chart;
}

TEST_F(ChartTest, HasALineForEachCurveAndItsNameInTheLegend) {
  const Recorder chart = recorded(draw(two_curves()));
  EXPECT_EQ(chart.curve(curve_stroke(0)).size(), 2u) << "the curve and its sample";
  EXPECT_EQ(chart.curve(curve_stroke(1)).size(), 2u);
  EXPECT_EQ(chart.dots.size(), 4u) << "three points and the sample";
  for (const char* words : {"loss & more", "step", "a<b", "c"}) EXPECT_TRUE(chart.says(words)) << words;
}

TEST_F(ChartTest, PutsHigherValuesHigher) {
  const std::vector<Point> line = recorded(draw(two_curves())).curve(curve_stroke(0)).front().points;
  ASSERT_EQ(line.size(), 3u);
  EXPECT_LT(line[0].x, line[1].x);
  EXPECT_GT(line[0].y, line[1].y);  // y counts from the top
  EXPECT_NEAR(line[0].y - line[2].y, line[2].y - line[1].y, 0.02);
}

TEST_F(ChartTest, TellsTwentyEightCurvesApart) {
  std::set<std::tuple<double, double, double, Dash>> looks;
  for (std::size_t i = 0; i < 28; ++i) {
    const Stroke s = curve_stroke(i);
    looks.insert({s.colour.red, s.colour.green, s.colour.blue, s.dash});
  }
  EXPECT_EQ(looks.size(), 28u);
}

TEST_F(ChartTest, LeavesAGapWhereAValueIsNotFinite) {
  Chart chart;
  chart.curves = {{"", {0, 1, 2, 3, 4, 5}, {1, 2, kNan, 2, 1, 1}}};
  const auto pieces = recorded(draw(chart)).curve(curve_stroke(0));
  ASSERT_EQ(pieces.size(), 2u);
  EXPECT_EQ(pieces[0].points.size(), 2u);
  EXPECT_EQ(pieces[1].points.size(), 3u);
  chart.log_y = true;
  chart.curves[0].y = {10, 100, 0, -1, 10, 10};
  EXPECT_EQ(recorded(draw(chart)).curve(curve_stroke(0)).size(), 2u);
}

TEST_F(ChartTest, PutsDecadesOfXEquallyFarApart) {
  Chart chart;
  chart.log_x = true;
  chart.curves = {{"", {3, 30, 300, 0, -1}, {1, 2, 3, 4, 5}, true}};
  const auto& dots = recorded(draw(chart)).dots;
  ASSERT_EQ(dots.size(), 3u) << "what is not above 0 leaves a gap";
  EXPECT_NEAR(dots[1].x - dots[0].x, dots[2].x - dots[1].x, 1e-9);
  EXPECT_GT(dots[1].x - dots[0].x, 100);
}

TEST_F(ChartTest, ShadesABandFromLowToHigh) {
  Chart chart;
  chart.curves = {{"", {0, 1}, {2, 2}, false, {1, 1}, {3, 4}}};
  const Recorder drawn = recorded(draw(chart));
  ASSERT_EQ(drawn.areas.size(), 1u);
  const std::vector<Point>& band = drawn.areas[0].outline;
  ASSERT_EQ(band.size(), 4u);
  const double line = drawn.curve(curve_stroke(0)).front().points[0].y;
  EXPECT_NEAR(band[0].y - line, line - band[3].y, 1e-9) << "as far up to 3 as down to 1";
  EXPECT_LT(band[1].y, band[0].y);
}

TEST_F(ChartTest, ReachesAsFarAsItsArrows) {
  Chart chart;
  chart.equal = true;
  chart.curves = {{.name = "", .x = {0, 1}, .y = {0, 1}, .marks = true, .line = false}};
  chart.curves[0].to_x = {-2, 1};
  chart.curves[0].to_y = {0, 1};
  const Recorder drawn = recorded(draw(chart));
  ASSERT_EQ(drawn.dots.size(), 2u);
  // Three units of x, from the arrow's end to the second point, are the whole axis.
  EXPECT_NEAR(drawn.dots[1].x - drawn.dots[0].x, 320.0 / 3, 0.1);
  EXPECT_NEAR(drawn.dots[0].y - drawn.dots[1].y, 320.0 / 3, 0.1);
}

TEST_F(ChartTest, CanBeEmpty) {
  Chart chart;
  EXPECT_TRUE(clashes(draw(chart)).empty());
  chart.curves = {{"nothing", {}, {}, true}};
  chart.log_y = true;
  EXPECT_TRUE(clashes(draw(chart)).empty());
  EXPECT_EQ(recorded(draw(chart)).dots.size(), 1u) << "the sample in the legend";
}

TEST_F(ChartTest, RefusesACurveWithoutAPartner) {
  Chart chart;
  chart.title = "loss";
  chart.curves = {{"train", {0, 1}, {1}}};
  EXPECT_EQ(testing::message_of<ShapeError>([&] { draw(chart); }), "chart 'loss': curve 'train' has 2 x and 1 y");
  chart.curves = {{"train", {0, 1}, {1, 1}, false, {1, 1}}};
  EXPECT_EQ(testing::message_of<ShapeError>([&] { draw(chart); }), "chart 'loss': curve 'train' has 2 x and 0 high");
}

/// Charts that are short of space: each has all of its words on the sheet and none upon another.
std::vector<Chart> extreme_charts() {
  std::vector<Chart> charts(8);
  for (Chart& chart : charts) {
    chart.title = "Norm of the guidance gradient, λ = 0.2, γ along the steps";
    chart.x_label = "noise level σ";
    chart.y_label = "mean ‖g‖ / pixel";
  }
  charts[0].curves = {{"one point", {3}, {7}}};
  charts[1].curves = {{"constant", {0, 1, 2}, {1e9, 1e9, 1e9}, true}};
  charts[2].curves = {{"gaps", {0, 1, 2, 3, 4, 5, 6}, {1, kNan, 2, 3, kNan, -kNan, 1}}};
  charts[3].log_y = true;
  charts[3].curves = {{"decades", {0, 1, 2, 3}, {1e-12, 1, 1e5, 1e12}, true}, {"zeros", {0, 1}, {0, -1}}};
  for (int i = 0; i < 12; ++i) {
    const double base = i;
    charts[4].curves.push_back(
        {"f-divergence of order " + std::to_string(i), {0, 1, 2, 3}, {base, base + 1, base, -base}, i % 2 == 0});
  }
  charts[4].title = std::string(300, 'W');
  charts[5].curves = {{std::string(200, 'g'), {1e9, 1e9 + 1}, {-1e-7, 1e-7}, true},
                      {"ĝ(x̂₀), αβγ", {1e9, 1e9 + 1}, {0, 0}}};
  charts[5].y_label = std::string(100, 'y');
  charts[6].curves = {{"", {-1e300, 1e300}, {-1e300, 1e300}},
                      {"broken \xff\xc3 bytes\n", {0}, {std::numeric_limits<double>::infinity()}}};
  charts[7].y = {{0, 1}};
  charts[7].curves = {{"far out", {0, 1, 2, 3}, {0.5, 1e12, 0.2, 0.4}, true}};
  for (int i = 0; i < 40; ++i) charts[7].curves.push_back({"many " + std::to_string(i), {0}, {0.5}});
  return charts;
}

TEST_F(ChartTest, KeepsItsWordsApartWhateverTheValues) {
  for (const Chart& chart : extreme_charts()) {
    const Drawing drawing = draw(chart);
    EXPECT_EQ(clashes(drawing), std::vector<std::string>{}) << chart.curves[0].name;
    EXPECT_EQ(rasterized(drawing).size(1), static_cast<int64_t>(2 * drawing.width)) << chart.curves[0].name;
  }
}

TEST_F(ChartTest, HasItsLinesInThePictureToo) {
  Chart chart;
  chart.curves = {{"", {0, 1}, {0.5, 0.5}}};
  chart.y = {{0, 1}};
  const Drawing drawing = draw(chart);
  const Point on = recorded(drawing).curve(curve_stroke(0)).front().points[0];
  const Tensor pixels = rasterized(drawing);
  const auto at = [&](double x, double y) { return pixels[static_cast<int64_t>(2 * y)][static_cast<int64_t>(2 * x)]; };
  EXPECT_TRUE(at(on.x + 5, on.y).equal(at::tensor({0x00, 0x72, 0xb2}, at::kByte))) << at(on.x + 5, on.y);
  EXPECT_EQ(at(on.x + 5, on.y + 5).min().item<int64_t>(), 255);
}

}  // namespace
}  // namespace sextant::report
