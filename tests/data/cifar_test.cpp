#include "data/encoders.h"
#include "sextant/data/images.h"
#include "support/golden.h"

namespace sextant::testing {
namespace {

using data::open_cifar;
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
  EXPECT_EQ(open_cifar(folder_.path(), Split::kTest)->size(), 4);
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
  EXPECT_TRUE(at::equal(open_cifar(path, Split::kTest)->image(2).flatten(), test_[2].slice(0, 1)));
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
  refusal(folder_ / "other.bin", [&] { open_cifar(folder_ / "other.bin"); });
}

TEST_F(Cifar, NeedsTheBatchesOfTheSplit) {
  write_bytes(folder_ / "data_batch_1.bin", bytes_of(one_));
  refusal(folder_.path(), [&] { open_cifar(folder_.path(), Split::kTest); });
}

TEST_F(Cifar, SaysWhichTrainingBatchesAreNotThere) {
  const std::string end = " of CIFAR-10's five training batches; the others are read";
  std::vector<std::pair<std::string, std::string>> files;
  for (const char* name : {"data_batch_1.bin", "data_batch_2.bin", "data_batch_4.bin", "test_batch.bin"}) {
    files.emplace_back(name, bytes_of(one_));
    write_bytes(folder_ / "ten" / name, bytes_of(one_));
  }
  write_bytes(folder_ / "ten.tar.gz", gzip(tar(files)));
  data::LabelledOptions labelled;
  labelled.split = Split::kTrain;
  for (const char* name : {"ten", "ten.tar.gz"}) {
    const auto path = folder_ / name;
    const auto train = open_cifar(path);
    EXPECT_EQ(train->size(), 9);
    EXPECT_EQ(train->notes(), std::vector{path.string() + " lacks data_batch_3, data_batch_5" + end});
    EXPECT_EQ(data::open_labelled(path, labelled)->notes(), train->notes());
    EXPECT_TRUE(open_cifar(path, Split::kTest)->notes().empty()) << "it has one batch";
  }
  EXPECT_TRUE(open_cifar(folder_ / "ten/data_batch_1.bin")->notes().empty()) << "a batch was asked for";
  for (const char* name : {"data_batch_3.bin", "data_batch_5.bin"}) write_bytes(folder_ / "ten" / name, bytes_of(two_));
  EXPECT_TRUE(open_cifar(folder_ / "ten")->notes().empty());
  EXPECT_TRUE(open_images(source_dir() / "tests/data/cifar/hundred-2")->notes().empty()) << "it has one batch";
}

TEST_F(Cifar, ABatchInBothVersionsIsReadOnce) {
  const auto source = source_dir() / "tests/data/cifar/ten";
  const auto path = folder_ / "both";
  std::filesystem::copy(source, path, std::filesystem::copy_options::recursive);
  const int64_t alone = open_cifar(path)->size();
  const auto notes = open_cifar(path)->notes();
  write_bytes(path / "data_batch_1.bin", bytes_of(one_));
  const auto both = open_cifar(path);
  EXPECT_EQ(both->size(), alone);
  ASSERT_EQ(both->notes().size(), notes.size() + 1);
  EXPECT_EQ(both->notes()[0],
            path.string() + ": data_batch_1.bin not read, the Python version of the same images is beside it");
}

/// data/cifar holds files that Python wrote: image i of a batch has the bytes 7 k + seed of its place k in the batch.
Tensor python_pixels(int64_t images, int64_t seed) {
  return (at::arange(images * 3072, at::kLong) * 7 + seed).bitwise_and(255).to(at::kByte).view({images, 3, 32, 32});
}

std::vector<int64_t> labels_of(const data::ImageSet& set) {
  return {set.labels().data_ptr<int64_t>(), set.labels().data_ptr<int64_t>() + set.size()};
}

TEST_F(Cifar, ReadsThePythonVersionAsPython2WroteIt) {
  const auto folder = source_dir() / "tests/data/cifar/ten";
  const auto train = open_images(folder);
  EXPECT_EQ(labels_of(*train), (std::vector<int64_t>{3, 9, 0, 1, 2}));
  EXPECT_TRUE(at::equal(train->image(2), python_pixels(3, 1)[2]));
  EXPECT_TRUE(at::equal(train->image(4), python_pixels(2, 5)[1]));
  EXPECT_EQ(train->class_names().at(9), "truck");
  EXPECT_EQ(labels_of(*open_cifar(folder, Split::kTest)), (std::vector<int64_t>{7}));
  EXPECT_EQ(open_images(folder / "data_batch_2")->size(), 2);
}

TEST_F(Cifar, ReadsTheArchiveAndTheFolderThatTorchvisionLeaves) {
  const auto ten = source_dir() / "tests/data/cifar/ten";
  std::vector<std::pair<std::string, std::string>> files;
  for (const char* name : {"data_batch_1", "test_batch", "batches.meta"}) {
    files.emplace_back(std::string("cifar-10-batches-py/") + name, read_bytes(ten / name));
    write_bytes(folder_ / "data" / files.back().first, files.back().second);
  }
  write_bytes(folder_ / "data/cifar-10-python.tar.gz", gzip(tar(files)));
  for (const auto& path : {folder_ / "data", folder_ / "data/cifar-10-python.tar.gz"}) {
    EXPECT_EQ(labels_of(*open_images(path)), (std::vector<int64_t>{3, 9, 0})) << path;
    EXPECT_EQ(open_cifar(path, Split::kTest)->class_names().at(0), "airplane") << path;
  }
}

TEST_F(Cifar, ReadsTheHundredByEveryProtocolWithEitherLabels) {
  for (const char* protocol : {"2", "4", "5"}) {
    const auto folder = source_dir() / ("tests/data/cifar/hundred-" + std::string(protocol));
    const auto fine = open_images(folder);
    EXPECT_EQ(labels_of(*fine), (std::vector<int64_t>{99, 4})) << protocol;
    EXPECT_EQ(fine->class_names().at(99), "fine 99") << protocol;
    EXPECT_TRUE(at::equal(fine->image(1), python_pixels(2, 3)[1])) << protocol;
    const auto coarse = open_images(folder, {.cifar100 = data::Cifar100Labels::kCoarse});
    EXPECT_EQ(labels_of(*coarse), (std::vector<int64_t>{19, 0})) << protocol;
    EXPECT_EQ(coarse->class_names().at(19), "coarse 19") << protocol;
  }
}

TEST_F(Cifar, ReadsTheHundredsBinaryVersion) {
  Tensor records = at::randint(256, {2, 3074}, at::kByte);
  records.slice(1, 0, 2).copy_(at::tensor({19, 99, 3, 12}, at::kByte).view({2, 2}));
  write_bytes(folder_ / "test.bin", bytes_of(records));
  write_bytes(folder_ / "train.bin", bytes_of(records[0]));
  write_bytes(folder_ / "fine_label_names.txt", "apple\r\naquarium_fish\r\n");
  const auto fine = open_cifar(folder_.path(), Split::kTest);
  EXPECT_EQ(labels_of(*fine), (std::vector<int64_t>{99, 12}));
  EXPECT_EQ(fine->class_names(), (std::vector<std::string>{"apple", "aquarium_fish"}));
  EXPECT_TRUE(at::equal(fine->image(1).flatten(), records[1].slice(0, 2)));
  EXPECT_EQ(labels_of(*open_cifar(folder_ / "test.bin", Split::kTest, data::Cifar100Labels::kCoarse)),
            (std::vector<int64_t>{19, 3}));
}

TEST_F(Cifar, PicklesThatHoldSomethingElseAreRefused) {
  const auto path = folder_ / "data_batch_1";
  const std::string whole = read_bytes(source_dir() / "tests/data/cifar/ten/data_batch_2");
  for (std::size_t size = 3; size < whole.size(); size += 97) {
    write_bytes(path, whole.substr(0, size));
    refusal(path, [&] { open_images(path); });
  }
  write_bytes(path, std::string("\x80\x02}U\x04"
                                "dataK\x01s.",
                                13));
  EXPECT_NE(refusal(path, [&] { open_images(path); }).find("without CIFAR's data"), std::string::npos);
  write_bytes(path,
              "\x80\x02"
              "cos\nsystem\nU\x04"
              "true\x85R.");
  EXPECT_NE(refusal(path, [&] { open_images(path); }).find("nothing was executed"), std::string::npos);
  const std::string labels("K\x01K\x02", 4);  // the list of labels, 1 and 2
  const std::size_t place = whole.rfind(labels);
  ASSERT_NE(place, std::string::npos);
  write_bytes(path, std::string(whole).replace(place, 2, "J\xff\xff\xff\xff"));
  EXPECT_NE(refusal(path, [&] { open_images(path); }).find("data_batch_1 has a label below 0"), std::string::npos);
}

}  // namespace
}  // namespace sextant::testing
