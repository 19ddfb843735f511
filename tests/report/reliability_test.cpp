#include <gtest/gtest.h>

#include "recorder.h"
#include "sextant/report/drawing.h"

namespace sextant::report {
namespace {

class ReliabilityTest : public ::testing::Test {
 protected:
  void SetUp() override { SEXTANT_NEEDS_CAIRO(); }
};

Reliability diagram_of(std::vector<double> confidence, std::vector<double> correct, int64_t bins = 10) {
  return {"before",
          calibration::equal_width_bins(at::tensor(confidence, at::kDouble), at::tensor(correct, at::kDouble), bins)};
}

TEST_F(ReliabilityTest, ShowsABarForEachBinWithSamples) {
  const Drawing drawing = draw(diagram_of({0.15, 0.55, 0.58, 0.95}, {0, 1, 0, 1}));
  const Recorder drawn = recorded(drawing);
  // In each of three bins accuracy, gap and share; and two swatches of the key.
  EXPECT_EQ(drawn.areas.size(), 3u * 3u + 2u);
  EXPECT_TRUE(drawn.says("ECE 0.0825 · MCE 0.1500 · 4 samples")) << "(0.15 + 2 0.065 + 0.05) / 4";
  EXPECT_TRUE(drawn.says("50 %")) << "two of four in the largest bin";
  EXPECT_TRUE(std::any_of(drawn.lines.begin(), drawn.lines.end(),
                          [](const auto& line) { return line.stroke.dash == Dash::kDashed; }));
  EXPECT_EQ(rasterized(drawing).size(2), 3);
}

TEST_F(ReliabilityTest, KeepsItsWordsApart) {
  Reliability crowded = diagram_of({0.999, 1.0, 0.3}, {1, 1, 0}, 100);
  crowded.title = std::string(200, 'g');
  for (const Reliability& diagram : {crowded, diagram_of({0.5}, {1}), diagram_of({0.0}, {0})}) {
    EXPECT_EQ(clashes(draw(diagram)), std::vector<std::string>{});
  }
}

}  // namespace
}  // namespace sextant::report
