#include "drawing/decode.h"

#include <gtest/gtest.h>

#include <cmath>

#include "sextant/runtime/error.h"
#include "support/errors.h"

namespace sextant::commands {
namespace {

TEST(Decoding, GoesInChunksOfTwoMillionPixels) {
  std::vector<int64_t> sizes;
  const auto decode = [&](const Tensor& z) {
    sizes.push_back(z.size(0));
    return 2 * z;
  };
  const Tensor z = at::arange(19, at::kFloat).view({19, 1, 1, 1});
  const Tensor images = decoded(decode, {3, 512, 512}, z, std::vector<int64_t>(19, 0));  // 8 of 512 x 512 pixels
  EXPECT_EQ(sizes, (std::vector<int64_t>{8, 8, 3}));
  EXPECT_TRUE(images.equal(2 * z));
}

TEST(Decoding, TakesAtLeastOneImageHoweverLarge) {
  std::vector<int64_t> sizes;
  const auto decode = [&](const Tensor& z) {
    sizes.push_back(z.size(0));
    return z;
  };
  decoded(decode, {3, 4096, 4096}, at::zeros({2, 1, 1, 1}), {0, 1});
  EXPECT_EQ(sizes, (std::vector<int64_t>{1, 1}));
}

TEST(Decoding, NamesTheImageThatIsNotFinite) {
  const auto decode = [](const Tensor& z) {
    Tensor x = z.clone();
    x[1][0][0][0] = NAN;
    return x;
  };
  const std::string error = testing::message_of<NumericError>([&] {
    decoded(decode, {1, 2, 2}, at::zeros({3, 1, 2, 2}), {40, 41, 42});
  });
  EXPECT_EQ(
      error,
      "image 41: the decoder made NaN or infinity of a finite sample; give it a wider range, --vae-precision fp32 "
      "or bf16");
}

}  // namespace
}  // namespace sextant::commands
