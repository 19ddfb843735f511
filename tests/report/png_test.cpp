#include <gtest/gtest.h>
#include <png.h>

#include "sextant/report/drawing.h"
#include "sextant/runtime/error.h"
#include "support/errors.h"
#include "support/golden.h"

namespace sextant::report {
namespace {

/// The pixels as libpng reads them back.
Tensor read_back(const std::filesystem::path& path, int64_t channels) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  if (!png_image_begin_read_from_file(&image, path.c_str())) return {};
  image.format = channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  Tensor pixels = at::empty({image.height, image.width, channels}, at::kByte);
  png_image_finish_read(&image, nullptr, pixels.data_ptr(), 0, nullptr);
  return pixels;
}

TEST(Png, KeepsEveryPixel) {
  const testing::TemporaryFolder folder;
  for (const int64_t channels : {1, 3}) {
    const Tensor picture = at::arange(5 * 7 * channels, at::kByte).reshape({5, 7, channels}) * 2;
    write_png(folder / "p.png", picture);
    EXPECT_TRUE(read_back(folder / "p.png", channels).equal(picture)) << channels;
  }
}

TEST(Png, TakesStridedPictures) {
  const testing::TemporaryFolder folder;
  const Tensor planes = at::arange(3 * 4 * 4, at::kByte).reshape({3, 4, 4});
  write_png(folder / "p.png", planes.permute({1, 2, 0}));
  EXPECT_TRUE(read_back(folder / "p.png", 3).equal(planes.permute({1, 2, 0})));
}

TEST(Png, SaysWhichFileItCouldNotWrite) {
  const testing::TemporaryFolder folder;
  EXPECT_NE(testing::message_of([&] {
              write_png(folder / "missing/p.png", at::zeros({2, 2, 1}, at::kByte));
            }).find("missing/p.png: cannot be created: No such file"),
            std::string::npos);
  EXPECT_THROW(write_png(folder / "p.png", at::zeros({2, 2, 2}, at::kByte)), ShapeError);
  EXPECT_THROW(write_png(folder / "p.png", at::zeros({2, 2, 1})), ShapeError);
}

}  // namespace
}  // namespace sextant::report
