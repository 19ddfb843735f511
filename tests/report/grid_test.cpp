#include <gtest/gtest.h>

#include "sextant/report/drawing.h"
#include "sextant/runtime/error.h"

namespace sextant::report {
namespace {

TEST(Grid, PutsImagesRowByRowBetweenPadding) {
  const Tensor images = at::arange(3, at::kByte).reshape({3, 1, 1, 1}).expand({3, 2, 2, 1}) * 10;
  const Tensor picture = grid(images, {2, 1, 1, 255});
  ASSERT_EQ(picture.sizes(), (at::IntArrayRef{7, 7, 1}));
  EXPECT_EQ(picture[0][0][0].item<int>(), 255);
  EXPECT_EQ(picture[1][1][0].item<int>(), 0);
  EXPECT_EQ(picture[2][5][0].item<int>(), 10);
  EXPECT_EQ(picture[4][1][0].item<int>(), 20);
  EXPECT_EQ(picture[4][4][0].item<int>(), 255);  // no fourth image
}

TEST(Grid, EnlargesEveryPixel) {
  const Tensor image = at::arange(4, at::kByte).reshape({1, 2, 2, 1});
  const Tensor picture = grid(image, {0, 0, 3, 0});
  ASSERT_EQ(picture.sizes(), (at::IntArrayRef{6, 6, 1}));
  EXPECT_EQ(picture[2][2][0].item<int>(), 0);
  EXPECT_EQ(picture[2][3][0].item<int>(), 1);
  EXPECT_EQ(picture[3][0][0].item<int>(), 2);
}

TEST(Grid, RejectsWhatIsNotAStackOfImages) {
  EXPECT_THROW(grid(at::zeros({2, 4, 4, 3})), ShapeError);
  EXPECT_THROW(grid(at::zeros({2, 3, 4, 4}, at::kByte)), ShapeError);
  EXPECT_THROW(grid(at::zeros({0, 4, 4, 3}, at::kByte)), ShapeError);
}

TEST(Grid, RefusesAStyleThatIsNone) {
  const Tensor images = at::zeros({2, 4, 4, 3}, at::kByte);
  for (const GridStyle& style : {GridStyle{-1, 2, 1, 0}, {0, -1, 1, 0}, {0, 2, 0, 0}}) {
    EXPECT_THROW(grid(images, style), UsageError);
  }
}

}  // namespace
}  // namespace sextant::report
