#include <random>

#include "data/encoders.h"
#include "sextant/data/images.h"
#include "support/golden.h"

namespace sextant::testing {
namespace {

using data::read_image;

class ImageFile : public ::testing::Test {
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
};

TEST_F(ImageFile, PngKeepsEveryPixel) {
  for (const int64_t channels : {1, 3}) {
    const Tensor pixels = noise({5, 7, channels});
    EXPECT_TRUE(at::equal(read(png(pixels)), pixels.permute({2, 0, 1})));
  }
}

TEST_F(ImageFile, PngLosesItsAlpha) {
  const Tensor pixels = noise({5, 7, 4}), gray = noise({5, 7, 2});
  EXPECT_TRUE(at::equal(read(png(pixels)), pixels.slice(2, 0, 3).permute({2, 0, 1})));
  EXPECT_TRUE(at::equal(read(png(gray)), gray.slice(2, 0, 1).permute({2, 0, 1})));
}

TEST_F(ImageFile, PngOfSixteenBitsKeepsTheUpperEight) {
  const Tensor pixels = at::randint(65536, {4, 6}, at::kInt);
  EXPECT_TRUE(at::equal(read(png(pixels))[0], pixels.bitwise_right_shift(8).to(at::kByte)));
}

TEST_F(ImageFile, PngPalettesBecomeColours) {
  const Tensor colours = noise({9, 3}), indices = at::randint(9, {4, 5}, at::kByte);
  const Tensor expected = colours.index_select(0, indices.flatten().to(at::kLong)).view({4, 5, 3}).permute({2, 0, 1});
  EXPECT_TRUE(at::equal(read(palette_png(indices, colours)), expected));
}

TEST_F(ImageFile, JpegIsCloseToWhatWasCompressed) {
  const Tensor ramp = at::arange(64, at::kByte).view({8, 8, 1}) * 3;
  EXPECT_LE((read(jpeg(ramp))[0].to(at::kInt) - ramp.select(2, 0).to(at::kInt)).abs().max().item<int>(), 2);
  const Tensor colour = at::tensor({200, 40, 90}, at::kByte).expand({16, 16, 3});
  EXPECT_LE((read(jpeg(colour)).to(at::kInt) - colour.permute({2, 0, 1}).to(at::kInt)).abs().max().item<int>(), 3);
}

TEST_F(ImageFile, JpegOfInksBecomesRgb) {
  // Adobe's inverted inks: 255 is none. Cyan fully on, the others off.
  const Tensor inks = at::tensor({0, 255, 255, 255}, at::kByte).expand({8, 8, 4});
  const Tensor rgb = read(jpeg(inks));
  EXPECT_EQ(rgb.size(0), 3);
  EXPECT_LE(rgb[0].max().item<int>(), 2);
  EXPECT_GE(rgb[1].min().item<int>(), 253);
}

TEST_F(ImageFile, ConvertsGrayAndColour) {
  const Tensor gray = noise({3, 4, 1});
  EXPECT_TRUE(at::equal(read(png(gray), 3), gray.permute({2, 0, 1}).expand({3, 3, 4})));
  const Tensor colour = at::tensor({255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255}, at::kByte).view({1, 4, 3});
  EXPECT_TRUE(at::equal(read(png(colour), 1).flatten(), at::tensor({76, 150, 29, 255}, at::kByte)));  // ITU-R 601
}

TEST_F(ImageFile, TruncationIsNoticedEverywhere) {
  for (const std::string& whole : {png(noise({9, 9, 3})), jpeg(noise({16, 16, 3}))}) {
    for (std::size_t size = 0; size + 2 < whole.size(); size += 3) refuse(whole.substr(0, size));
  }
}

TEST_F(ImageFile, DamageNeverCrashes) {
  std::mt19937_64 random(3);
  for (const std::string& whole : {png(noise({9, 9, 3})), jpeg(noise({16, 16, 3}))}) {
    for (int i = 0; i < 1500; ++i) {
      std::string bytes = whole;
      bytes[random() % bytes.size()] ^= static_cast<char>(1 << random() % 8);
      write_bytes(path_, bytes);
      try {
        read_image(path_);
      } catch (const DataError&) {
      }
    }
  }
}

TEST_F(ImageFile, ClaimedSizesAreNotAllocated) {
  std::string bytes = png(noise({4, 4, 3}));
  for (const std::size_t at : {16, 20}) bytes.replace(at, 4, std::string("\x00\x00\xff\xff", 4));
  uint32_t crc = 0xffffffff;  // of the header chunk, so that only the size is wrong
  for (std::size_t i = 12; i < 29; ++i) {
    crc ^= static_cast<uint8_t>(bytes[i]);
    for (int k = 0; k < 8; ++k) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
  }
  crc = ~crc;
  for (int i = 0; i < 4; ++i) bytes[29 + static_cast<std::size_t>(i)] = static_cast<char>(crc >> (24 - 8 * i));
  EXPECT_NE(refuse(bytes).find("more than the file can hold"), std::string::npos);
}

TEST_F(ImageFile, OtherFilesAreRefused) {
  refuse("");
  refuse("GIF89a");
  refusal(folder_ / "missing.png", [&] { read_image(folder_ / "missing.png"); });
}

}  // namespace
}  // namespace sextant::testing
