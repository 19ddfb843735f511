#include <cstdlib>

#include "data/encoders.h"
#include "sextant/data/images.h"
#include "support/golden.h"

namespace sextant::testing {
namespace {

using data::open_idx;
using data::open_images;

class Idx : public ::testing::Test {
 protected:
  const TemporaryFolder folder_;
  const std::filesystem::path images_ = folder_ / "train-images-idx3-ubyte.gz",
                              labels_ = folder_ / "train-labels-idx1-ubyte.gz";
  const Tensor pixels_ = at::randint(256, {5, 6, 7}, at::kByte), classes_ = at::randint(10, {5}, at::kByte);
};

TEST_F(Idx, ReadsGzippedImagesWithTheLabelsBesideThem) {
  write_bytes(images_, gzip(idx(pixels_)));
  write_bytes(labels_, gzip(idx(classes_)));
  const auto set = open_images(images_);
  EXPECT_EQ(set->size(), 5);
  EXPECT_TRUE(at::equal(set->image(3), pixels_.slice(0, 3, 4)));
  EXPECT_TRUE(at::equal(set->batch(1, 3), pixels_.slice(0, 1, 4).unsqueeze(3)));
  EXPECT_TRUE(at::equal(set->labels(), classes_.to(at::kLong)));
}

TEST_F(Idx, TakesLabelsThatAreGzippedWhereTheImagesAreNotOrTheOtherWayRound) {
  for (const bool gzipped : {true, false}) {
    const TemporaryFolder folder;
    const std::filesystem::path images = folder / (gzipped ? "a-images-idx3-ubyte" : "a-images-idx3-ubyte.gz");
    write_bytes(images, gzipped ? idx(pixels_) : gzip(idx(pixels_)));
    const std::string labels = idx(classes_);
    write_bytes(folder / (gzipped ? "a-labels-idx1-ubyte.gz" : "a-labels-idx1-ubyte"), gzipped ? gzip(labels) : labels);
    EXPECT_TRUE(at::equal(open_images(images)->labels(), classes_.to(at::kLong)));
  }
}

TEST_F(Idx, ReadsRawImagesWithoutLabels) {
  write_bytes(folder_ / "x-images.idx3-ubyte", idx(pixels_));
  const auto set = open_images(folder_ / "x-images.idx3-ubyte");
  EXPECT_TRUE(at::equal(set->image(0), pixels_.slice(0, 0, 1)));
  EXPECT_FALSE(set->labels().defined());
}

TEST_F(Idx, DamageIsNamed) {
  const std::string good = idx(pixels_);
  for (std::string bytes :
       {good.substr(0, 3), good.substr(0, 30), good + "x", std::string("\0\0\x0d\3", 4) + good.substr(4),
        good.substr(0, 4) + std::string("\xff\xff\xff\xff", 4) + good.substr(8), std::string()}) {
    write_bytes(images_, bytes);
    refusal(images_, [&] { open_idx(images_); });
    write_bytes(images_, gzip(bytes));
    refusal(images_, [&] { open_idx(images_); });
  }
  const std::string zipped = gzip(good);
  for (std::size_t size = 2; size < zipped.size(); size += 5) {
    write_bytes(images_, zipped.substr(0, size));
    refusal(images_, [&] { open_idx(images_); });
  }
}

TEST_F(Idx, RefusesLabelsOfAnotherNumber) {
  write_bytes(images_, gzip(idx(pixels_)));
  write_bytes(labels_, gzip(idx(classes_.slice(0, 0, 4))));
  refusal(labels_, [&] { open_idx(images_); });
}

TEST(Mnist, HasItsPublishedMeanAndDeviation) {
  const char* folder = std::getenv("SEXTANT_DATA_DIR");
  const std::filesystem::path path = std::filesystem::path(folder ? folder : "") / "mnist/train-images-idx3-ubyte.gz";
  if (!folder || !std::filesystem::exists(path)) GTEST_SKIP() << "SEXTANT_DATA_DIR has no mnist/";
  const auto set = open_images(path);
  EXPECT_EQ(set->size(), 60000);
  const Tensor ink = set->batch(0, set->size()).to(at::kDouble) / 255;
  EXPECT_NEAR(ink.mean().item<double>(), 0.13066, 1e-5);
  EXPECT_NEAR(ink.std(false).item<double>(), 0.30811, 1e-5);
  EXPECT_EQ(set->labels().max().item<int64_t>(), 9);
}

}  // namespace
}  // namespace sextant::testing
