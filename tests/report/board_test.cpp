#include <gtest/gtest.h>

#include "sextant/report/report.h"

namespace sextant::report {
namespace {

TEST(Text, DrawsBlackLettersOnWhite) {
  const Tensor i = text("i").squeeze(2);
  ASSERT_EQ(i.sizes(), (at::IntArrayRef{7, 6}));
  EXPECT_EQ((i == 0).sum().item<int>(), 11);  // two bars of three, a stem of five
  EXPECT_TRUE(text("i").equal(text("I")));
  EXPECT_EQ(text("ab", 3).sizes(), (at::IntArrayRef{21, 36, 1}));
  EXPECT_EQ((text("\x01") == 0).sum().item<int>(), 20);  // a box for what the font lacks
}

TEST(Board, LaysCellsOutUnderTheirCaptions) {
  const Tensor grey = at::full({10, 20, 1}, 7, at::kByte);
  const Tensor red = at::zeros({12, 30, 3}, at::kByte);
  red.select(2, 0).fill_(200);
  const Tensor picture = board({"title", {"a", "b"}, {"row"}, {{grey, red}}});
  ASSERT_EQ(picture.size(2), 3);
  EXPECT_EQ((picture == 7).all(2).sum().item<int>(), 10 * 20);
  const Tensor is_red = (picture.select(2, 0) == 200).logical_and(picture.select(2, 1) == 0);
  EXPECT_EQ(is_red.sum().item<int>(), 12 * 30);
  EXPECT_GT((picture.select(2, 1) == 0).sum().item<int>(), 12 * 30);  // captions
}

TEST(Board, LeavesMissingCellsEmpty) {
  const Tensor cell = at::zeros({4, 4, 1}, at::kByte);
  const Tensor picture = board({"", {}, {}, {{cell, {}}, {{}, cell}}});
  EXPECT_EQ((picture == 0).sum().item<int>(), 32);
}

}  // namespace
}  // namespace sextant::report
