#include "data/encoders.h"
#include "sextant/data/images.h"
#include "support/golden.h"

namespace sextant::testing {
namespace {

using data::open_cifar10;
using data::open_images;
using data::Split;

class Cifar : public ::testing::Test {
 protected:
  /// Records of random pixels.
  Tensor records(int64_t count) {
    Tensor all = at::randint(256, {count, 3073}, at::kByte);
    all.select(1, 0).copy_(at::randint(10, {count}));
    return all;
  }
  const TemporaryFolder folder_;
  const Tensor one_ = records(3), two_ = records(2), test_ = records(4);
};

TEST_F(Cifar, ReadsAFolderOfBatches) {
  write_bytes(folder_ / "data_batch_2.bin", bytes_of(two_));
  write_bytes(folder_ / "data_batch_1.bin", bytes_of(one_));
  write_bytes(folder_ / "test_batch.bin", bytes_of(test_));
  write_bytes(folder_ / "batches.meta.txt", "airplane\nautomobile\n\n");
  const auto train = open_images(folder_.path());
  EXPECT_EQ(train->size(), 5);
  EXPECT_TRUE(at::equal(train->image(3).flatten(), two_[0].slice(0, 1)));
  EXPECT_EQ(train->image(0).sizes(), (at::IntArrayRef{3, 32, 32}));
  EXPECT_EQ(train->batch(1, 2).sizes(), (at::IntArrayRef{2, 32, 32, 3}));
  EXPECT_EQ(train->label(3), two_[0][0].item<int64_t>());
  EXPECT_EQ(train->class_names(), (std::vector<std::string>{"airplane", "automobile"}));
  EXPECT_EQ(open_cifar10(folder_.path(), Split::kTest)->size(), 4);
  EXPECT_EQ(open_images(folder_ / "test_batch.bin")->size(), 4);
}

TEST_F(Cifar, ReadsThePublishedArchive) {
  const std::string bytes = tar({{"cifar-10-batches-bin/data_batch_1.bin", bytes_of(one_)},
                                 {"cifar-10-batches-bin/readme.html", std::string(700, 'x')},
                                 {"cifar-10-batches-bin/test_batch.bin", bytes_of(test_)},
                                 {"cifar-10-batches-bin/data_batch_2.bin", bytes_of(two_)}});
  const auto path = folder_ / "cifar-10-binary.tar.gz";
  write_bytes(path, gzip(bytes));
  EXPECT_EQ(open_images(path)->size(), 5);
  EXPECT_TRUE(at::equal(open_cifar10(path, Split::kTest)->image(2).flatten(), test_[2].slice(0, 1)));
  write_bytes(path, gzip(bytes.substr(0, bytes.size() - 4000)));
  refusal(path, [&] { open_images(path); });
  write_bytes(path, gzip(std::string(2048, 'x')));
  refusal(path, [&] { open_images(path); });
}

TEST_F(Cifar, ArchiveSizesAreNotAllocated) {
  std::string bytes = tar({{"data_batch_1.bin", bytes_of(one_)}});
  bytes.replace(124, 11, "77777777777");
  write_bytes(folder_ / "c.tar.gz", gzip(bytes));
  EXPECT_NE(refusal(folder_ / "c.tar.gz", [&] { open_images(folder_ / "c.tar.gz"); }).find("larger"),
            std::string::npos);
}

TEST_F(Cifar, RefusesPartialRecordsAndWrongLabels) {
  const auto path = folder_ / "data_batch_1.bin";
  write_bytes(path, bytes_of(one_).substr(1));
  refusal(path, [&] { open_images(path); });
  write_bytes(path, std::string(3073, '\x0a'));
  EXPECT_NE(refusal(path, [&] { open_images(path); }).find("label above 9"), std::string::npos);
  refusal(folder_ / "other.bin", [&] { open_cifar10(folder_ / "other.bin"); });
}

TEST_F(Cifar, NeedsTheBatchesOfTheSplit) {
  write_bytes(folder_ / "data_batch_1.bin", bytes_of(one_));
  refusal(folder_.path(), [&] { open_cifar10(folder_.path(), Split::kTest); });
}

}  // namespace
}  // namespace sextant::testing
