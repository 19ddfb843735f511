// BMP and WebP files as Pillow 13 writes them of the same six pixels, and what it reads from them; channels and sizes.
#include "data/encoders.h"
#include "sextant/checkpoint/checkpoint.h"
#include "sextant/data/images.h"
#include "support/golden.h"

namespace sextant::testing {
namespace {

using data::read_image;
using data::with_channels;
using data::with_size;

std::string from_hex(const std::string& digits) {
  std::string bytes;
  for (std::size_t i = 0; i < digits.size(); i += 2)
    bytes += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
  return bytes;
}

const std::string kBmp24 = from_hex(
    "424d4e0000000000000036000000280000000300000002000000010018000000000018000000c40e0000c40e000000000000000000001e140a"
    "3264c8ffffff0000000000ff00ff00ff0000000000");
const std::string kBmp32 = from_hex(
    "424d4e0000000000000036000000280000000300000002000000010020000000000018000000c40e0000c40e000000000000000000001e140a"
    "ff3264c8ffffffffff0000ffff00ff00ffff0000ff");
const std::string kWebp = from_hex(
    "5249464642000000574542505650384c360000002f024000002f40906db341dcebfe32d32093b6c95fff76666d64d236ad87fdf3afb2f31f68"
    "e491acfb06040294b1e2816d22fa1fe305");
const std::string kLossyWebp = from_hex(
    "524946463600000057454250565038202a0000007001009d012a0400040000c01225a0027401750000fef58895afffd92b7ffecf2ffffb256f"
    "fb1e400000");

/// A bitmap of 8 bits a pixel, 3x2, with the colours blue, green, red.
std::string palette_bmp(const std::vector<std::array<int, 3>>& colours, const std::string& rows) {
  std::string bytes = from_hex(
      "424d3e0400000000000036040000280000000300000002000000010008000000000008000000c40e0000c40e00000001000000010000");
  for (std::size_t i = 0; i < 256; ++i) {
    const std::array<int, 3> colour = i < colours.size() ? colours[i] : std::array<int, 3>{0, 0, 0};
    for (const int value : colour) bytes += static_cast<char>(value);
    bytes += '\0';
  }
  return bytes + rows;
}

class Formats : public ::testing::Test {
 protected:
  Tensor read(const std::string& bytes, int64_t channels = 0) {
    write_bytes(path_, bytes);
    return read_image(path_, channels);
  }
  std::string refuse(const std::string& bytes) {
    write_bytes(path_, bytes);
    return refusal(path_, [&] { read_image(path_); });
  }
  const TemporaryFolder folder_;
  const std::filesystem::path path_ = folder_ / "image";
  const Tensor pixels_ =
      at::tensor({255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30, 200, 100, 50, 255, 255, 255}, at::kByte)
          .view({2, 3, 3})
          .permute({2, 0, 1});
};

TEST_F(Formats, BitmapsHavePillowsPixels) {
  EXPECT_TRUE(at::equal(read(kBmp24), pixels_));
  EXPECT_TRUE(at::equal(read(kBmp32), pixels_));
  const std::string rows = from_hex("0201000000010200");
  const Tensor colours = read(palette_bmp({{7, 8, 9}, {40, 50, 60}, {100, 0, 250}}, rows));
  const Tensor expected =
      at::tensor({9, 8, 7, 60, 50, 40, 250, 0, 100, 250, 0, 100, 60, 50, 40, 9, 8, 7}, at::kByte).view({2, 3, 3});
  EXPECT_TRUE(at::equal(colours, expected.permute({2, 0, 1})));
}

TEST_F(Formats, BitmapsOfGreyAreGrey) {
  const Tensor grey = read(palette_bmp({{0, 0, 0}, {90, 90, 90}, {200, 200, 200}}, from_hex("0201000000010200")));
  EXPECT_TRUE(at::equal(grey, at::tensor({0, 90, 200, 200, 90, 0}, at::kByte).view({1, 2, 3})));
}

TEST_F(Formats, BitmapsFromTheTopAreNotTurned) {
  std::string bytes = kBmp24;
  bytes.replace(22, 4, from_hex("feffffff"));
  EXPECT_TRUE(at::equal(read(bytes), pixels_.flip({1})));
}

TEST_F(Formats, WebpHasPillowsPixels) {
  write_bytes(path_, kWebp);
  if (message_of([&] { read_image(path_); }).find("this build does not read") != std::string::npos) GTEST_SKIP();
  EXPECT_TRUE(at::equal(read(kWebp), pixels_));
  const Tensor lossy = read(kLossyWebp);
  EXPECT_TRUE(at::equal(lossy.select(1, 0).select(1, 0), at::tensor({200, 39, 89}, at::kByte)));
}

TEST_F(Formats, TruncatedAndDamagedFilesAreRefusedOrRead) {
  for (const std::string& whole : {kBmp24, kBmp32, kWebp, kLossyWebp}) {
    for (std::size_t size = 0; size + 4 < whole.size(); ++size) refuse(whole.substr(0, size));
    for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
      std::string bytes = whole;
      bytes[bit / 8] ^= static_cast<char>(1 << bit % 8);
      write_bytes(path_, bytes);
      try {
        read_image(path_);
      } catch (const DataError&) {
      }
    }
  }
}

TEST_F(Formats, WhatIsNotReadIsCalledByName) {
  EXPECT_NE(refuse(from_hex("49492a0008000000")).find("TIFF"), std::string::npos);
  EXPECT_NE(refuse(from_hex("4d4d002a00000008")).find("TIFF"), std::string::npos);
  EXPECT_NE(refuse("GIF89a").find("no PNG, JPEG, BMP or WebP"), std::string::npos);
  std::string sixteen_bits = kBmp24;
  sixteen_bits[28] = 16;
  EXPECT_NE(refuse(sixteen_bits).find("16 bits a pixel"), std::string::npos);
}

TEST_F(Formats, ChannelsAreConvertedAlikeFromEverySource) {
  // Pillow's convert("L") of the six pixels.
  const Tensor luma = at::tensor({76, 150, 29, 18, 124, 255}, at::kByte).view({1, 2, 3});
  const Tensor rows = pixels_.permute({1, 2, 0}).contiguous();
  write_bytes(folder_ / "png/a.png", png(rows));
  checkpoint::save_npz(folder_ / "rgb.npz", {{"arr_0", rows.unsqueeze(0)}});
  write_bytes(folder_ / "run/samples.npz", read_bytes(folder_ / "rgb.npz"));
  for (const char* source : {"png", "rgb.npz", "run"}) {
    const auto set = data::open_images(folder_ / source, {.channels = 1});
    EXPECT_TRUE(at::equal(set->image(0), luma)) << source;
    ASSERT_EQ(set->notes().size(), 1u) << source;
    EXPECT_NE(set->notes()[0].find("the images have colours, the network takes one channel; they are read in grey"),
              std::string::npos);
    EXPECT_TRUE(data::open_images(folder_ / source, {.channels = 3})->notes().empty()) << source;
  }
  checkpoint::save_npz(folder_ / "greyish.npz", {{"arr_0", rows.narrow(2, 0, 1).repeat({1, 1, 3}).unsqueeze(0)}});
  EXPECT_TRUE(data::open_images(folder_ / "greyish.npz", {.channels = 1})->notes().empty());
  const Tensor grey = noise({1, 2, 3});
  checkpoint::save_npz(folder_ / "grey.npz", {{"arr_0", grey}});
  checkpoint::save_npz(folder_ / "one.npz", {{"arr_0", grey.unsqueeze(3)}});
  write_bytes(folder_ / "a-images-idx3-ubyte", idx(grey));
  write_bytes(folder_ / "greys/a.png", png(grey[0].unsqueeze(2)));
  for (const char* source : {"grey.npz", "one.npz", "a-images-idx3-ubyte", "greys"}) {
    const auto set = data::open_images(folder_ / source, {.channels = 3});
    EXPECT_TRUE(at::equal(set->image(0), grey.expand({3, 2, 3}))) << source;
    EXPECT_EQ(set->batch(0, 1).sizes(), (at::IntArrayRef{1, 2, 3, 3})) << source;
  }
}

TEST_F(Formats, TheMiddleIsCutOutAsTorchvisionDoes) {
  const Tensor image = at::arange(7 * 10, at::kByte).view({1, 7, 10});
  // round((7 - 4) / 2) is 2 and round((10 - 4) / 2) is 3; round(1 / 2) is 0: halves go to even.
  EXPECT_TRUE(at::equal(with_size(image, 0, 4), image.narrow(1, 2, 4).narrow(2, 3, 4)));
  EXPECT_TRUE(at::equal(with_size(image, 7, 6), image.narrow(1, 0, 6).narrow(2, 2, 6)));
  EXPECT_TRUE(at::equal(with_size(image, 0, 0), image));
  EXPECT_EQ(with_size(at::zeros({3, 375, 500}, at::kByte), 256, 224).sizes(), (at::IntArrayRef{3, 224, 224}));
  EXPECT_EQ(with_size(at::zeros({3, 500, 375}, at::kByte), 32, 0).sizes(), (at::IntArrayRef{3, 32, 32}));
  EXPECT_NE(message_of([&] { with_size(image, 0, 8); }).find("too small for image-crop 8"), std::string::npos);
}

TEST_F(Formats, HalvingAFlatHalfGivesItsMean) {
  // Antialiased halving of 0 0 0 0 200 200 200 200: triangle weights 1/8 3/8 3/8 1/8 around each new pixel.
  const Tensor step = at::tensor({0, 0, 0, 0, 200, 200, 200, 200}, at::kByte).view({1, 1, 8}).expand({1, 8, 8});
  const Tensor row = with_size(step.contiguous(), 4, 0)[0][1];
  EXPECT_TRUE(at::equal(row, at::tensor({0, 25, 175, 200}, at::kByte))) << row;
}

TEST_F(Formats, ImagesOfSeveralSizesBecomeOneBatch) {
  write_bytes(folder_ / "mixed/a.png", png(noise({20, 31, 3})));
  write_bytes(folder_ / "mixed/b.png", png(noise({40, 24, 3})));
  EXPECT_NE(message_of([&] { data::open_images(folder_ / "mixed")->batch(0, 2); }).find("set image-size"),
            std::string::npos);
  EXPECT_EQ(data::open_images(folder_ / "mixed", {.size = 16, .crop = 14})->batch(0, 2).sizes(),
            (at::IntArrayRef{2, 14, 14, 3}));
}

}  // namespace
}  // namespace sextant::testing
