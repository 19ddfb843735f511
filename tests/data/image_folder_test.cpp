#include "data/encoders.h"
#include "sextant/data/images.h"
#include "support/golden.h"

namespace sextant::testing {
namespace {

using data::open_image_folder;
using data::open_images;

TEST(ImageFolder, IsSortedAndLabelledBySubfolder) {
  const TemporaryFolder folder;
  const Tensor a = noise({4, 4, 3}), b = noise({4, 4, 3}), c = noise({4, 4, 3});
  write_bytes(folder / "dog/10.png", png(a));
  write_bytes(folder / "cat/deep/2.PNG", png(b));
  write_bytes(folder / "dog/02.png", png(c));
  write_bytes(folder / "dog/notes.txt", "no image");
  const auto set = open_images(folder.path());
  ASSERT_EQ(set->size(), 3);
  EXPECT_EQ(set->class_names(), (std::vector<std::string>{"cat", "dog"}));
  EXPECT_TRUE(at::equal(set->labels(), at::tensor({0, 1, 1}, at::kLong)));
  EXPECT_TRUE(at::equal(set->batch(0, 3), at::stack({b, c, a})));
  EXPECT_EQ(set->name(1), (folder / "dog/02.png").string());
  EXPECT_EQ(set->label(2), 1);
}

TEST(ImageFolder, HasNoLabelsWithoutSubfolders) {
  const TemporaryFolder folder;
  write_bytes(folder / "a.jpg", jpeg(noise({8, 8, 3})));
  write_bytes(folder / "sub/b.jpeg", jpeg(noise({8, 8, 3})));
  const auto set = open_images(folder.path());
  EXPECT_EQ(set->size(), 2);
  EXPECT_FALSE(set->labels().defined());
  EXPECT_EQ(set->label(0), -1);
}

TEST(ImageFolder, ConvertsToOneNumberOfChannels) {
  const TemporaryFolder folder;
  write_bytes(folder / "gray.png", png(noise({4, 4, 1})));
  write_bytes(folder / "rgb.png", png(noise({4, 4, 3})));
  EXPECT_EQ(open_image_folder(folder.path())->batch(0, 2).sizes(), (at::IntArrayRef{2, 4, 4, 3}));
  EXPECT_EQ(open_image_folder(folder.path(), {.channels = 1})->batch(0, 2).sizes(), (at::IntArrayRef{2, 4, 4, 1}));
}

TEST(ImageFolder, NamesTheCorruptImage) {
  const TemporaryFolder folder;
  write_bytes(folder / "a.png", png(noise({4, 4, 3})));
  write_bytes(folder / "b.png", png(noise({4, 4, 3})).substr(0, 60));
  const auto set = open_images(folder.path());
  EXPECT_EQ(set->image(0).size(0), 3);
  refusal(folder / "b.png", [&] { set->batch(0, 2); });
}

TEST(ImageFolder, NamesTheImageOfAnotherSize) {
  const TemporaryFolder folder;
  write_bytes(folder / "a.png", png(noise({4, 4, 3})));
  write_bytes(folder / "b.png", png(noise({4, 5, 3})));
  EXPECT_NE(refusal(folder / "b.png", [&] { open_images(folder.path())->batch(0, 2); }).find("5x4"), std::string::npos);
}

TEST(ImageFolder, EmptyAndMissingFoldersAreRefused) {
  const TemporaryFolder folder;
  refusal(folder.path(), [&] { open_images(folder.path()); });
  refusal(folder / "missing", [&] { open_images(folder / "missing"); });
  refusal(folder / "missing", [&] { open_image_folder(folder / "missing"); });
}

TEST(ImageFolder, LinksInACircleAreRefused) {
  const TemporaryFolder folder;
  write_bytes(folder / "a/a.png", png(noise({4, 4, 3})));
  std::filesystem::create_directory_symlink(folder.path(), folder / "a/loop");
  refusal(folder.path(), [&] { open_images(folder.path()); });
}

TEST(ImageFolder, RefusesAnIndexOutOfRange) {
  const TemporaryFolder folder;
  write_bytes(folder / "a.png", png(noise({4, 4, 3})));
  refusal(folder.path(), [&] { open_images(folder.path())->image(1); });
}

}  // namespace
}  // namespace sextant::testing
