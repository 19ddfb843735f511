#include <gtest/gtest.h>

#include "recorder.h"
#include "sextant/report/drawing.h"
#include "sextant/runtime/error.h"

namespace sextant::report {
namespace {

class MontageTest : public ::testing::Test {
 protected:
  void SetUp() override { SEXTANT_NEEDS_CAIRO(); }
};

TEST_F(MontageTest, LaysCellsOutUnderTheirCaptions) {
  const Tensor grey = at::full({10, 20, 1}, 7, at::kByte);
  Tensor red = at::zeros({12, 30, 3}, at::kByte);
  red.select(2, 0).fill_(200);
  const Drawing drawing = draw(Montage{"title", {"a", "b"}, {"row"}, {{grey, red}}});
  const Recorder drawn = recorded(drawing);
  for (const char* words : {"title", "a", "b", "row"}) EXPECT_TRUE(drawn.says(words)) << words;
  EXPECT_EQ(clashes(drawing), std::vector<std::string>{});
  ASSERT_EQ(drawn.images.size(), 2u);
  EXPECT_EQ(drawn.images[0].at.y, drawn.images[1].at.y);
  EXPECT_GE(drawn.images[1].at.x, drawn.images[0].at.x + 20);

  const Tensor picture = rasterized(drawing);
  const auto cell = [&](std::size_t i, int64_t height, int64_t width) {
    return picture.narrow(0, static_cast<int64_t>(drawn.images[i].at.y), height)
        .narrow(1, static_cast<int64_t>(drawn.images[i].at.x), width);
  };
  EXPECT_TRUE(cell(0, 10, 20).eq(7).all().item<bool>()) << "every pixel as it was";
  EXPECT_TRUE(cell(1, 12, 30).equal(red));
  const Tensor is_red = picture.select(2, 0).eq(200).logical_and(picture.select(2, 1).eq(0));
  EXPECT_EQ(is_red.sum().item<int>(), 12 * 30);
}

TEST_F(MontageTest, LeavesMissingCellsEmpty) {
  const Tensor cell = at::zeros({4, 4, 1}, at::kByte);
  const Tensor picture = rasterized(draw(Montage{"", {}, {}, {{cell, {}}, {{}, cell}}}));
  EXPECT_EQ((picture == 0).sum().item<int>(), 32 * 3);
}

TEST_F(MontageTest, KeepsLongCaptionsApart) {
  const Tensor cell = at::zeros({8, 8, 1}, at::kByte);
  const std::string longest(100, 'g');
  const Montage montage{longest, {longest, longest, "α = 0.09"}, {longest, longest}, {{cell, cell, cell}, {cell}}};
  EXPECT_EQ(clashes(draw(montage)), std::vector<std::string>{});
  EXPECT_EQ(clashes(draw(Montage{})), std::vector<std::string>{});
}

TEST_F(MontageTest, ShortensCaptionsButNotTheValuesBehindThem) {
  const Tensor cell = at::zeros({8, 8, 1}, at::kByte);
  const Drawing drawing = draw(Montage{"", {}, {std::string(100, 'g'), "short"}, {{cell}, {cell}}, 20, {"97.0 %", ""}});
  const Recorder drawn = recorded(drawing);
  EXPECT_TRUE(std::any_of(drawn.texts.begin(), drawn.texts.end(),
                          [](const auto& text) { return text.words.ends_with("g   97.0 %"); }));
  EXPECT_TRUE(drawn.says("short"));
  EXPECT_LT(drawing.width, 30 * 20);
}

TEST_F(MontageTest, LongCaptionsThatDifferAtTheirEndsStayApart) {
  const std::string same = "[1] a row whose name says everything about its classifier and its prompts, ";
  const Tensor cell = at::zeros({8, 8, 1}, at::kByte);
  const Recorder drawn =
      recorded(draw(Montage{"", {}, {same + "scale 1", same + "scale 2"}, {{cell}, {cell}}, 15, {}}));
  ASSERT_EQ(drawn.texts.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    const std::string& words = drawn.texts[i].words;
    EXPECT_TRUE(words.starts_with("[1] a row ") && words.ends_with(i == 0 ? ", scale 1" : ", scale 2")) << words;
    EXPECT_NE(words.find("…"), std::string::npos) << words;
  }
}

TEST_F(MontageTest, IsScaledDownWhereAPngWouldBeTooLarge) {
  const Drawing wide =
      draw(Montage{"", {}, {}, {{at::zeros({1, 20000, 1}, at::kByte), at::zeros({1, 20000, 1}, at::kByte)}}});
  EXPECT_EQ(rasterized(wide).size(1), 16384);
}

TEST_F(MontageTest, RefusesACellThatIsNoPicture) {
  EXPECT_THROW(draw(Montage{"", {}, {}, {{at::zeros({4, 4, 1})}}}), ShapeError);
}

}  // namespace
}  // namespace sextant::report
