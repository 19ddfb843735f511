#include "images/random_crop.h"

#include "support/golden.h"

namespace sextant::training {
namespace {

Tensor ramp(int64_t height, int64_t width) {
  return (at::arange(width).unsqueeze(0) + 10 * at::arange(height).unsqueeze(1))
      .remainder(256)
      .to(at::kByte)
      .unsqueeze(0);
}

TEST(RandomCrop, OfAnImageOfItsSizeWithoutScalingIsTheImage) {
  const Tensor image = ramp(8, 8);
  EXPECT_TRUE(random_crop(image, 8, 1, {0, 0, 0}).equal(image));
}

TEST(RandomCrop, IsPlacedByItsDraws) {
  const Tensor image = ramp(8, 12);  // as high as the crop: only the place from left to right is free, 0 to 4
  EXPECT_TRUE(random_crop(image, 8, 1, {0.99, 0.99, 0}).equal(image.narrow(2, 0, 8)));
  EXPECT_TRUE(random_crop(image, 8, 1, {0.99, 0, 0.5}).equal(image.narrow(2, 2, 8)));
  EXPECT_TRUE(random_crop(image, 8, 1, {0, 0.5, 0.999}).equal(image.narrow(2, 4, 8)));
}

TEST(RandomCrop, ScalesTheShorterSideUpToTheLeastShare) {
  // 0.8 of 10 is 8: an image of 10 pixels stays as it is with the largest draw, and the place is free by 2.
  const Tensor image = ramp(10, 10);
  EXPECT_TRUE(random_crop(image, 8, 0.8, {0.999, 0.999, 0}).equal(image.narrow(1, 2, 8).narrow(2, 0, 8)));
}

TEST(RandomCrop, HalvesLargeImagesByMeans) {
  const Tensor image = at::tensor({0, 100, 200, 40}, at::kByte).view({1, 2, 2}).repeat({3, 4, 4});
  const Tensor cut = random_crop(image, 4, 1, {0, 0, 0});
  EXPECT_TRUE(cut.equal(at::full({3, 4, 4}, 85, at::kByte))) << "(0 + 100 + 200 + 40)/4";
}

TEST(RandomCrop, KeepsBytesWithinTheirRange) {
  const Tensor image = at::cat({at::zeros({1, 9, 5}, at::kByte), at::full({1, 9, 6}, 255, at::kByte)}, 2);
  const Tensor cut = random_crop(image, 7, 0.8, {0.3, 0.5, 0.5});  // bicubic filters overshoot at edges
  EXPECT_EQ(cut.sizes(), (at::IntArrayRef{1, 7, 7}));
  EXPECT_EQ(cut.min().item<int64_t>(), 0);
  EXPECT_EQ(cut.max().item<int64_t>(), 255);
}

}  // namespace
}  // namespace sextant::training
