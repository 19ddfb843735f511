#include <gtest/gtest.h>

#include <limits>
#include <regex>

#include "axis.h"
#include "sextant/report/curves.h"
#include "sextant/runtime/error.h"
#include "support/errors.h"
#include "support/golden.h"

namespace sextant::report {
namespace {

std::size_t times(const std::string& text, const std::string& what) {
  std::size_t count = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

std::vector<std::string> labels(const Axis& axis) {
  std::vector<std::string> all;
  for (const Tick& tick : axis.ticks) all.push_back(tick.label);
  return all;
}

TEST(Axis, HasTicksAtRoundNumbers) {
  EXPECT_EQ(labels(linear_axis(0, 1, 5)), (std::vector<std::string>{"0.0", "0.2", "0.4", "0.6", "0.8", "1.0"}));
  EXPECT_EQ(labels(linear_axis(0, 999)), (std::vector<std::string>{"0", "200", "400", "600", "800"}));
  const Axis rounded = rounded_axis(0.013, 0.187);
  EXPECT_EQ(rounded.low, 0);
  EXPECT_NEAR(rounded.high, 0.2, 1e-15);
  EXPECT_EQ(labels(rounded), (std::vector<std::string>{"0.00", "0.05", "0.10", "0.15", "0.20"}));
  EXPECT_EQ(labels(log_axis(0.02, 30)), (std::vector<std::string>{"0.01", "0.1", "1", "10", "100"}));
}

TEST(Axis, WidensARangeOfNoWidth) {
  for (const double value : {0.0, -3.0, 1e9}) {
    for (const Axis& axis : {linear_axis(value, value), rounded_axis(value, value)}) {
      EXPECT_LT(axis.low, value);
      EXPECT_GT(axis.high, value);
      EXPECT_NEAR(axis.place(value), 0.5, 0.3);
      EXPECT_GE(axis.ticks.size(), 2u);
    }
  }
}

Chart two_curves() {
  Chart chart;
  chart.title = "loss & more";
  chart.x_label = "step";
  chart.curves = {{"a<b", {0, 1, 2}, {1, 3, 2}, false}, {"c", {0, 1, 2}, {2, 2, 2}, true}};
  return chart;
}

TEST(Chart, IsAnSvgWithALineForEachCurve) {
  const std::string text = svg(two_curves());
  EXPECT_EQ(text.rfind("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"640\" height=\"400\"", 0), 0u);
  EXPECT_EQ(text.substr(text.size() - 7), "</svg>\n");
  EXPECT_NE(text.find("loss &amp; more"), std::string::npos);
  EXPECT_NE(text.find("a&lt;b"), std::string::npos);
  EXPECT_EQ(times(text, "stroke-width=\"1.6\""), 2u);
  EXPECT_EQ(times(text, "<circle"), 3u);
}

TEST(Chart, PutsHigherValuesHigher) {
  std::smatch match;
  const std::string text = svg(two_curves());
  const std::regex line("stroke-width=\"1.6\" points=\"([0-9.]+),([0-9.]+) ([0-9.]+),([0-9.]+) ([0-9.]+),([0-9.]+)\"");
  ASSERT_TRUE(std::regex_search(text, match, line));
  EXPECT_LT(std::stod(match[1]), std::stod(match[3]));
  EXPECT_GT(std::stod(match[2]), std::stod(match[4]));  // y counts from the top
  EXPECT_NEAR(std::stod(match[2]) - std::stod(match[6]), std::stod(match[6]) - std::stod(match[4]), 0.02);
}

TEST(Chart, LeavesAGapWhereAValueIsNotFinite) {
  Chart chart;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  chart.curves = {{"", {0, 1, 2, 3, 4, 5}, {1, 2, nan, 2, 1, 1}, false}};
  const std::string text = svg(chart);
  EXPECT_EQ(times(text, "stroke-width=\"1.6\""), 2u);
  EXPECT_EQ(text.find("nan"), std::string::npos);
  chart.log_y = true;
  chart.curves[0].y = {10, 100, 0, -1, 10, 10};
  EXPECT_EQ(times(svg(chart), "stroke-width=\"1.6\""), 2u);
}

TEST(Chart, CanBeEmpty) {
  Chart chart;
  EXPECT_NE(svg(chart).find("</svg>"), std::string::npos);
  chart.curves = {{"nothing", {}, {}, true}};
  chart.log_y = true;
  EXPECT_EQ(picture(chart).sizes(), (std::vector<int64_t>{800, 1280, 3}));
}

TEST(Chart, RefusesACurveWithoutAPartner) {
  Chart chart;
  chart.title = "loss";
  chart.curves = {{"train", {0, 1}, {1}, false}};
  EXPECT_EQ(testing::message_of<ShapeError>([&] { svg(chart); }), "chart 'loss': curve 'train' has 2 x and 1 y");
}

TEST(Chart, HasItsLinesInThePictureToo) {
  Chart chart;
  chart.curves = {{"", {0, 1}, {0.5, 0.5}, false}};
  chart.y = {{0, 1}};
  const Tensor pixels = picture(chart);
  // The curve's blue at the middle of the axes, 2 pixels a pixel, and white beside it.
  const double middle = (30 + 400 - 42) / 2.0;
  const Tensor on = pixels[static_cast<int64_t>(2 * middle)][640];
  EXPECT_EQ(on[2].item<int64_t>(), 0xb2);
  EXPECT_EQ(on[0].item<int64_t>(), 0);
  EXPECT_EQ(pixels[static_cast<int64_t>(2 * middle) + 20][650].min().item<int64_t>(), 255);
}

TEST(Reliability, ShowsABarForEachBinWithSamples) {
  const Tensor confidence = at::tensor({0.15, 0.55, 0.58, 0.95}, at::kDouble);
  const Tensor correct = at::tensor({0.0, 1.0, 0.0, 1.0}, at::kDouble);
  const Reliability diagram{"before", calibration::equal_width_bins(confidence, correct, 10)};
  const std::string text = svg(diagram);
  // In each of three bins accuracy, gap and share; and the paper.
  EXPECT_EQ(times(text, "<rect"), 3u * 3u + 1u);
  EXPECT_NE(text.find("ECE 0.0825"), std::string::npos) << "(0.15 + 2 0.065 + 0.05) / 4";
  EXPECT_NE(text.find("MCE 0.1500"), std::string::npos);
  EXPECT_NE(text.find("stroke-dasharray"), std::string::npos);
  const Tensor pixels = picture(diagram);
  EXPECT_EQ(pixels.size(1), 840);
  EXPECT_EQ(pixels.size(2), 3);
}

TEST(Diagram, IsWrittenAsSvgAndPng) {
  const testing::TemporaryFolder folder;
  write_diagram(folder / "loss", two_curves());
  EXPECT_GT(std::filesystem::file_size(folder / "loss.svg"), 500u);
  EXPECT_GT(std::filesystem::file_size(folder / "loss.png"), 500u);
  EXPECT_THROW(write_diagram(folder / "none/loss", two_curves()), Error);
}

}  // namespace
}  // namespace sextant::report
