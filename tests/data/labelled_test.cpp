#include "data/encoders.h"
#include "sextant/data/images.h"
#include "support/golden.h"

namespace sextant::testing {
namespace {

using data::LabelledOptions;
using data::open_labelled;
using data::Split;

class Labelled : public ::testing::Test {
 protected:
  void picture(const std::filesystem::path& path, uint8_t grey) const {
    std::filesystem::create_directories(path.parent_path());
    write_bytes(path, png(at::full({4, 4, 1}, grey, at::kByte)));
  }
  const TemporaryFolder folder_;
};

TEST_F(Labelled, TakesThePartOfAnIdxFolderThatIsAskedFor) {
  const Tensor train = at::randint(256, {5, 6, 7}, at::kByte), test = at::randint(256, {3, 6, 7}, at::kByte);
  write_bytes(folder_ / "train-images-idx3-ubyte.gz", gzip(idx(train)));
  write_bytes(folder_ / "train-labels-idx1-ubyte.gz", gzip(idx(at::arange(5).to(at::kByte))));
  write_bytes(folder_ / "t10k-images-idx3-ubyte", idx(test));
  write_bytes(folder_ / "t10k-labels-idx1-ubyte", idx(at::full({3}, 7, at::kByte)));
  EXPECT_TRUE(at::equal(open_labelled(folder_.path())->image(2), test.slice(0, 2, 3)));
  const auto images = open_labelled(folder_.path(), {Split::kTrain, {}, 1});
  EXPECT_TRUE(at::equal(images->image(4), train.slice(0, 4, 5)));
  EXPECT_TRUE(at::equal(images->labels(), at::arange(5, at::kLong)));
}

TEST_F(Labelled, SaysThatAnIdxFolderHasNoLabels) {
  write_bytes(folder_ / "t10k-images-idx3-ubyte", idx(at::zeros({2, 3, 3}, at::kByte)));
  const std::string message = refusal(folder_ / "t10k-images-idx3-ubyte", [&] { open_labelled(folder_.path()); });
  EXPECT_NE(message.find("has no labels; expected a labels-idx1 file beside IDX images"), std::string::npos) << message;
}

TEST_F(Labelled, FindsTheFilesBelowTheRootOfTorchvisionsDataSets) {
  const auto write = [&](const std::string& name, uint8_t label) {
    const auto raw = folder_ / "root" / name / "raw";
    std::filesystem::create_directories(raw);
    write_bytes(raw / "t10k-images-idx3-ubyte", idx(at::zeros({1, 3, 3}, at::kByte)));
    write_bytes(raw / "t10k-labels-idx1-ubyte", idx(at::full({1}, label, at::kByte)));
  };
  write("MNIST", 4);
  EXPECT_EQ(open_labelled(folder_ / "root")->label(0), 4);
  EXPECT_EQ(open_labelled(folder_ / "root/MNIST")->label(0), 4);
  write("FashionMNIST", 5);
  EXPECT_EQ(open_labelled(folder_ / "root/FashionMNIST")->label(0), 5);
  const std::string message = refusal(folder_ / "root", [&] { open_labelled(folder_ / "root"); });
  EXPECT_NE(message.find("holds several data sets, "), std::string::npos) << message;
  EXPECT_NE(message.find("root/MNIST/raw; name one of these folders"), std::string::npos) << message;
}

TEST_F(Labelled, TakesLabelsOfAnotherFile) {
  const std::filesystem::path images = folder_ / "a-images-idx3-ubyte";
  write_bytes(images, idx(at::zeros({2, 3, 3}, at::kByte)));
  write_bytes(folder_ / "other", idx(at::tensor({4, 2}, at::kByte)));
  EXPECT_TRUE(
      at::equal(open_labelled(images, {Split::kTest, folder_ / "other", 1})->labels(), at::tensor({4, 2}, at::kLong)));
  EXPECT_NE(refusal(images, [&] { open_labelled(images); }).find("has no labels"), std::string::npos);
  refusal(folder_ / "gone", [&] { open_labelled(images, {Split::kTest, folder_ / "gone", 1}); });
  picture(folder_ / "pictures/a/0.png", 1);
  refusal(folder_ / "other", [&] { open_labelled(folder_ / "pictures", {Split::kTest, folder_ / "other", 1}); });
}

TEST_F(Labelled, TakesThePartOfAFolderOfClasses) {
  for (const char* split : {"train", "val"}) {
    for (const char* name : {"cat", "dog"}) picture(folder_ / split / name / "0.png", split[0] == 't' ? 10 : 20);
  }
  picture(folder_ / "train/dog/1.png", 30);
  const auto train = open_labelled(folder_.path(), {Split::kTrain, {}, 1});
  EXPECT_TRUE(at::equal(train->labels(), at::tensor({0, 1, 1}, at::kLong)));
  EXPECT_EQ(train->class_names(), (std::vector<std::string>{"cat", "dog"}));
  EXPECT_EQ(open_labelled(folder_.path(), {Split::kTest, {}, 1})->image(1).max().item<int64_t>(), 20);
  EXPECT_EQ(open_labelled(folder_.path())->image(0).size(0), 3);
}

TEST_F(Labelled, NamesThePartThatIsThereWhereTheOtherIsAsked) {
  write_bytes(folder_ / "t10k-images-idx3-ubyte", idx(at::zeros({1, 3, 3}, at::kByte)));
  EXPECT_NE(refusal(folder_.path(),
                    [&] {
                      open_labelled(folder_.path(), {Split::kTrain, {}, 1});
                    })
                .find("has no training images, only " + (folder_ / "t10k-images-idx3-ubyte").string()),
            std::string::npos);
  const auto only_train = folder_ / "trees";
  picture(only_train / "train/cat/0.png", 1);
  EXPECT_NE(refusal(only_train, [&] { open_labelled(only_train); }).find("has no test images, only "),
            std::string::npos);
  // A class may be called so.
  picture(folder_ / "cifar-100/train/0.png", 1);
  picture(folder_ / "cifar-100/tank/0.png", 1);
  EXPECT_EQ(open_labelled(folder_ / "cifar-100")->class_names(), (std::vector<std::string>{"tank", "train"}));
}

TEST_F(Labelled, RefusesAnEmptyClassFolder) {
  picture(folder_ / "ape/a.png", 1);
  picture(folder_ / "cat/a.png", 2);
  std::filesystem::create_directories(folder_ / "bee");
  EXPECT_NE(refusal(folder_ / "bee", [&] { open_labelled(folder_.path()); }).find("holds no"), std::string::npos);
  std::filesystem::remove(folder_ / "bee");
  std::filesystem::create_directories(folder_ / ".cache");
  EXPECT_EQ(open_labelled(folder_.path())->size(), 2);
}

TEST_F(Labelled, AnEmptyFolderOfANumberTakesNoLabelAway) {
  picture(folder_ / "0/a.png", 1);
  picture(folder_ / "2/a.png", 2);
  std::filesystem::create_directories(folder_ / "1");
  EXPECT_TRUE(at::equal(open_labelled(folder_.path())->labels(), at::tensor({0, 2}, at::kLong)));
}

TEST_F(Labelled, RefusesImagesWithoutClasses) {
  picture(folder_ / "a.png", 1);
  EXPECT_NE(refusal(folder_.path(), [&] { open_labelled(folder_.path()); }).find("a subfolder for every class"),
            std::string::npos);
}

TEST_F(Labelled, ReadsTheTestBatchOfCifar) {
  std::string record(3073, '\5');
  write_bytes(folder_ / "test_batch.bin", record);
  EXPECT_EQ(open_labelled(folder_.path())->label(0), 5);
  refusal(folder_.path(), [&] { open_labelled(folder_.path(), {Split::kTrain, {}, 3}); });
  const std::filesystem::path archive = folder_ / "cifar-10-binary.tar.gz";
  write_bytes(archive, gzip(tar({{"cifar/test_batch.bin", record + record}, {"cifar/data_batch_1.bin", record}})));
  EXPECT_EQ(open_labelled(archive)->size(), 2);
  EXPECT_EQ(open_labelled(archive, {Split::kTrain, {}, 3})->size(), 1);
}

}  // namespace
}  // namespace sextant::testing
