// What in a folder is an image, and what its subfolders' names say of labels.
#include "data/encoders.h"
#include "sextant/data/images.h"
#include "support/golden.h"

namespace sextant::testing {
namespace {

using data::Naming;
using data::NetworkClasses;
using data::open_image_folder;
using data::open_images;
using data::open_labelled;

class ClassFolders : public ::testing::Test {
 protected:
  void picture(const std::string& path) const { write_bytes(folder_ / path, png(at::zeros({2, 2, 3}, at::kByte))); }
  /// One image for each class; the labels in order of the names.
  std::unique_ptr<data::ImageSet> open(const std::vector<std::string>& names, const NetworkClasses& classes = {}) {
    for (const std::string& name : names) picture("set/" + name + "/a.png");
    return open_image_folder(folder_ / "set", {.classes = classes});
  }
  static std::vector<int64_t> labels(const data::ImageSet& set) {
    return {set.labels().data_ptr<int64_t>(), set.labels().data_ptr<int64_t>() + set.size()};
  }
  const TemporaryFolder folder_;
};

using Numbers = std::vector<int64_t>;
using Words = std::vector<std::string>;

TEST_F(ClassFolders, LitterIsNobodysImageAndNobodysClass) {
  for (const char* path :
       {"cat/1.png", "dog/2.PNG", "cat/._1.png", "__MACOSX/cat/1.png", ".cache/x.png", "dog/.hidden.png", ".DS_Store",
        "Thumbs.db", "cat/Thumbs.db", "desktop.ini", "dog/@eaDir/2.PNG"}) {
    picture(path);
  }
  for (const bool labelled : {false, true}) {
    const auto set = labelled ? open_labelled(folder_.path()) : open_images(folder_.path());
    EXPECT_EQ(set->size(), 2);
    EXPECT_EQ(labels(*set), (Numbers{0, 1}));
    EXPECT_EQ(set->class_names(), (Words{"cat", "dog"}));
  }
}

TEST_F(ClassFolders, ExtensionsOfEveryCaseAreImages) {
  for (const char* name : {"a.PNG", "b.png", "c.Png"}) picture(name);
  write_bytes(folder_ / "d.JPEG", jpeg(noise({2, 2, 1})));
  write_bytes(folder_ / "e.JPG", jpeg(noise({2, 2, 3})));
  for (const int64_t channels : {1, 3}) {
    const auto set = open_images(folder_.path(), {.channels = channels});
    ASSERT_EQ(set->size(), 5);
    for (int64_t i = 0; i < 5; ++i) EXPECT_EQ(set->image(i).size(0), channels) << set->name(i);
  }
}

TEST_F(ClassFolders, WhatIsLeftOutIsCountedAndNamed) {
  picture("a.png");
  for (const char* name : {"b.txt", "c.txt", "d.gif", "README"}) write_bytes(folder_ / name, "x");
  const Words notes = open_images(folder_.path())->notes();
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_EQ(notes[0], folder_.path().string() +
                          ": 4 files of other kinds are left out: 2 .txt, 1 without extension, 1 .gif (the first: " +
                          (folder_ / "README").string() + ")");
}

TEST_F(ClassFolders, TiffIsRefusedByNameAndUnreadableOnesAreCounted) {
  picture("a.png");
  write_bytes(folder_ / "b.tiff", std::string("II*\0", 4));
  write_bytes(folder_ / "c.png", "no image");
  const auto set = open_images(folder_.path());
  ASSERT_EQ(set->size(), 3);
  EXPECT_NE(refusal(folder_ / "b.tiff", [&] { set->image(1); }).find("TIFF"), std::string::npos);
  const data::Unreadable bad = data::unreadable(*set, {0, 1, 2});
  EXPECT_EQ(bad.places, (Numbers{1, 2}));
  EXPECT_EQ(
      bad.note.rfind("2 of 3 images cannot be read and are left out, the first " + (folder_ / "b.tiff").string(), 0),
      0u)
      << bad.note;
}

TEST_F(ClassFolders, NumbersMeanTheNumber) {
  const auto set = open({"0", "1", "10", "2"});
  EXPECT_EQ(labels(*set), (Numbers{0, 1, 10, 2}));
  EXPECT_EQ(set->naming(), Naming::kNumbers);
  EXPECT_TRUE(set->notes().empty());
  picture("set/02/b.png");
  EXPECT_NE(message_of([&] { open_image_folder(folder_ / "set"); }).find("is class 2, which 02 is"), std::string::npos);
}

TEST_F(ClassFolders, ZeroPaddedNumbersMeanTheNumber) {
  EXPECT_EQ(labels(*open({"000", "007", "123"})), (Numbers{0, 7, 123}));
}

TEST_F(ClassFolders, WordNetIdsAreImageNetsClasses) {
  // Tench is the first class of ImageNet's challenge, parachute number 701, toilet tissue the last.
  const auto set = open({"n01440764", "n03888257", "n15075141"});
  EXPECT_EQ(labels(*set), (Numbers{0, 701, 999}));
  EXPECT_EQ(set->naming(), Naming::kSynsets);
  ASSERT_EQ(set->notes().size(), 1u);
  EXPECT_NE(set->notes()[0].find("0 n01440764, 701 n03888257, 999 n15075141"), std::string::npos) << set->notes()[0];
  EXPECT_EQ(labels(*open({"n01440764"}, {1000, {}})), (Numbers{0, 701, 999}));
}

TEST_F(ClassFolders, WordNetIdsOfASmallNetworkAreItsOwnClasses) {
  const auto set = open({"n01440764", "n03888257"}, {2, {}});
  EXPECT_EQ(labels(*set), (Numbers{0, 1}));
  EXPECT_EQ(set->naming(), Naming::kSorted);
}

TEST_F(ClassFolders, NamesAreMatchedWithTheNetworks) {
  const NetworkClasses cifar = {4, {"airplane", "automobile", "Fire_Truck", "tench, Tinca tinca"}};
  const auto set = open({"Automobile", "fire truck", "tench"}, cifar);
  EXPECT_EQ(labels(*set), (Numbers{1, 2, 3}));
  EXPECT_EQ(set->naming(), Naming::kMatched);
  EXPECT_EQ(set->class_names(), cifar.names);
}

TEST_F(ClassFolders, NamesThatFitNothingAreSortedAndSaidSo) {
  const auto set = open({"dog", "cat", "10"}, {3, {"airplane", "cat", "dog"}});
  EXPECT_EQ(labels(*set), (Numbers{0, 1, 2}));
  EXPECT_EQ(set->naming(), Naming::kSorted);
  ASSERT_EQ(set->notes().size(), 1u);
  EXPECT_NE(set->notes()[0].find("0 10, 1 cat, 2 dog (subfolders in sorted order"), std::string::npos);
}

TEST_F(ClassFolders, NumbersBesideNamesMeanTheNumber) {
  const NetworkClasses ten = {10, {}};
  EXPECT_EQ(labels(*open({"0_airplane", "1_automobile", "9-truck"}, ten)), (Numbers{0, 1, 9}));
  const TemporaryFolder other;
  for (const char* name : {"class_1", "class_10", "class_2"})
    write_bytes(other / name / "a.png", png(at::zeros({2, 2, 3}, at::kByte)));
  const auto set = open_image_folder(other.path());
  EXPECT_EQ(labels(*set), (Numbers{1, 10, 2}));
  EXPECT_EQ(set->naming(), Naming::kNumbers);
  EXPECT_NE(set->notes().at(0).find("1 class_1, 10 class_10, 2 class_2 (the numbers in the names)"), std::string::npos);
  // Ten classes that count from 1 are sorted as numbers are.
  const auto counted = open_image_folder(other.path(), {.classes = {3, {}}});
  EXPECT_EQ(labels(*counted), (Numbers{0, 2, 1}));
  EXPECT_EQ(counted->class_names(), (Words{"class_1", "class_2", "class_10"}));
  EXPECT_EQ(counted->naming(), Naming::kSorted);
}

TEST_F(ClassFolders, NamesBehindNumbersAreMatchedFirst) {
  const NetworkClasses network = {3, {"cat", "dog", "T-shirt/top"}};
  const auto set = open({"1_cat", "2 DOG", "3 T shirt top"}, network);
  EXPECT_EQ(labels(*set), (Numbers{0, 1, 2}));
  EXPECT_EQ(set->naming(), Naming::kMatched);
}

TEST_F(ClassFolders, SetsThatCountFromOneAreSorted) {
  const auto set = open({"001.Black_footed_Albatross", "002.Laysan_Albatross"}, {200, {}});
  EXPECT_EQ(labels(*set), (Numbers{0, 1}));
  EXPECT_EQ(set->naming(), Naming::kSorted);
}

TEST_F(ClassFolders, WordNetIdsMayHaveANameBehind) {
  // Chihuahua is ImageNet's class 151, as Stanford's dogs name its folder.
  EXPECT_EQ(labels(*open({"n02085620-Chihuahua"}, {1000, {}})), (Numbers{151}));
}

TEST_F(ClassFolders, PartsOfADataSetAreNoClasses) {
  for (const char* path : {"train/cat/1.png", "train/dog/1.png", "val/cat/1.png"}) picture(path);
  EXPECT_NE(refusal(folder_.path(), [&] { open_images(folder_.path()); }).find("give one of them"), std::string::npos);
  EXPECT_EQ(open_images(folder_ / "train")->class_names(), (Words{"cat", "dog"}));
  EXPECT_EQ(open_labelled(folder_.path(), {data::Split::kTrain, {}, {}})->size(), 2);
}

TEST_F(ClassFolders, AFolderAroundTheClassesIsLookedThrough) {
  for (const char* path : {"animals/cat/1.png", "animals/dog/1.png", "animals/dog/2.png"}) picture(path);
  const auto set = open_labelled(folder_.path());
  EXPECT_EQ(labels(*set), (Numbers{0, 1, 1}));
  EXPECT_EQ(set->class_names(), (Words{"cat", "dog"}));
  EXPECT_NE(set->notes().at(0).find("animals is the only folder there"), std::string::npos) << set->notes()[0];
  // A class of a subset with folders of its own stays one class.
  picture("one/3/left/1.png");
  picture("one/3/right/1.png");
  EXPECT_EQ(labels(*open_labelled(folder_ / "one")), (Numbers{3, 3}));
}

TEST_F(ClassFolders, TinyImageNetsAnnotationsNameTheClasses) {
  for (const char* name : {"n01443537", "n01629819"}) picture("train/" + std::string(name) + "/images/x_0.JPEG");
  picture("test/images/test_0.JPEG");
  for (const char* name : {"val_0", "val_1", "val_2"}) picture("val/images/" + std::string(name) + ".JPEG");
  write_bytes(
      folder_ / "val/val_annotations.txt",
      "val_0.JPEG\tn01629819\t0\t32\t44\t62\nval_2.JPEG\tn01443537\t1\t2\t3\t4\nval_1.JPEG\tn01629819\t0\t0\t9\t9\n");
  data::LabelledOptions options;
  options.read.classes.count = 200;
  EXPECT_EQ(labels(*open_labelled(folder_.path(), options)), (Numbers{1, 1, 0}));
  options.split = data::Split::kTrain;
  EXPECT_EQ(labels(*open_labelled(folder_.path(), options)), (Numbers{0, 1}));
  picture("val/images/val_3.JPEG");
  refusal(folder_ / "val/images/val_3.JPEG", [&] { open_labelled(folder_.path()); });
}

}  // namespace
}  // namespace sextant::testing
