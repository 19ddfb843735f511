#include "drawing/store.h"

#include <gtest/gtest.h>

#include <fstream>

#include "sextant/checkpoint/checkpoint.h"
#include "sextant/runtime/error.h"
#include "support/golden.h"

namespace sextant::commands {
namespace {

using nlohmann::json;
using sextant::testing::TemporaryFolder;

const json kIdentity = {{"sample", {{"seed", 1}}}};
const json kAnother = {{"sample", {{"seed", 2}}}};
const std::vector<int64_t> kShape = {4, 5, 3};

/// An image that tells which sample it is.
Tensor image_of(int64_t sample) { return at::full({1, 4, 5, 3}, sample + 1, at::kByte); }

void put(SampleStore& store, int64_t sample) {
  SampleRecord record;
  record.label = 10 * sample;
  store.put({sample}, image_of(sample), {record});
}

TEST(SampleStore, KeepsFinishedSamplesForTheNextRun) {
  const TemporaryFolder folder;
  {
    SampleStore store(folder / "p", kIdentity, kShape, 6);
    put(store, 4);
    put(store, 0);
  }
  SampleStore store(folder / "p", kIdentity, kShape, 6);
  EXPECT_EQ(store.finished(), 2);
  EXPECT_TRUE(store.has(0));
  EXPECT_FALSE(store.has(1));
  EXPECT_TRUE(store.images(0, 6).equal(at::cat({image_of(0), image_of(4)})));
  EXPECT_EQ(store.records()[1].label, 40);
}

TEST(SampleStore, DropsSamplesWhoseBytesAreDamaged) {
  const TemporaryFolder folder;
  {
    SampleStore store(folder / "p", kIdentity, kShape, 3);
    for (const int64_t i : {0, 1, 2}) put(store, i);
  }
  const auto size = std::filesystem::file_size(folder / "p");
  std::fstream file(folder / "p", std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(size - 1));
  file.put('x');
  file.close();
  SampleStore store(folder / "p", kIdentity, kShape, 3);
  EXPECT_EQ(store.finished(), 2);
  EXPECT_FALSE(store.has(2));
}

TEST(SampleStore, SurvivesAFileCutAnywhere) {
  const TemporaryFolder folder;
  {
    SampleStore store(folder / "whole", kIdentity, kShape, 3);
    for (const int64_t i : {0, 1, 2}) put(store, i);
  }
  const auto size = std::filesystem::file_size(folder / "whole");
  for (std::uintmax_t length = 0; length < size; length += length < 4000 ? 997 : 13) {
    std::filesystem::copy_file(folder / "whole", folder / "cut", std::filesystem::copy_options::overwrite_existing);
    std::filesystem::resize_file(folder / "cut", length);
    SampleStore store(folder / "cut", kIdentity, kShape, 3);
    EXPECT_LT(store.finished(), 3) << length;
    for (int64_t i = 0; i < 3; ++i) {
      if (!store.has(i)) continue;
      EXPECT_TRUE(store.images(i, i + 1).equal(image_of(i))) << length;
    }
  }
}

TEST(SampleStore, BearsNoIdentityBeforeItsFirstSample) {
  const TemporaryFolder folder;
  {
    SampleStore store(folder / "p", kIdentity, kShape, 3);
    EXPECT_TRUE(SampleStore::stored_identity(folder / "p").is_null());
    put(store, 1);
  }
  EXPECT_EQ(SampleStore::stored_identity(folder / "p"), kIdentity);
  EXPECT_TRUE(SampleStore::stored_identity(folder / "missing").is_null());
}

TEST(SampleStore, IsForOneProcessAtATime) {
  const TemporaryFolder folder;
  SampleStore store(folder / "p", kIdentity, kShape, 3);
  EXPECT_THROW(SampleStore(folder / "p", kIdentity, kShape, 3), Error);
  put(store, 0);
  EXPECT_THROW(SampleStore(folder / "p", kAnother, kShape, 3), Error);
}

TEST(SampleStore, LeavesNoFileWithoutSamples) {
  const TemporaryFolder folder;
  { const SampleStore store(folder / "p", kIdentity, kShape, 3); }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(SampleStore, KeepsSamplesOfAnotherRunUntilItsOwnAreOnDisk) {
  const TemporaryFolder folder;
  {
    SampleStore store(folder / "p", kIdentity, kShape, 3);
    put(store, 1);
  }
  for (int ended_early = 0; ended_early < 2; ++ended_early) {
    const SampleStore other(folder / "p", kAnother, {2, 2, 1}, 7);
    EXPECT_EQ(other.finished(), 0);
    EXPECT_EQ(SampleStore::stored_identity(folder / "p"), kIdentity);
    EXPECT_THROW(SampleStore(folder / "p", kIdentity, kShape, 3), Error);
  }
  EXPECT_TRUE(SampleStore(folder / "p", kIdentity, kShape, 3).images(0, 3).equal(image_of(1)));
  {
    SampleStore other(folder / "p", kAnother, kShape, 3);
    put(other, 2);
    EXPECT_EQ(SampleStore::stored_identity(folder / "p"), kAnother);
    EXPECT_THROW(SampleStore(folder / "p", kAnother, kShape, 3), Error);
    put(other, 0);
  }
  const SampleStore other(folder / "p", kAnother, kShape, 3);
  EXPECT_TRUE(other.images(0, 3).equal(at::cat({image_of(0), image_of(2)})));
  const std::filesystem::directory_iterator files(folder.path());
  EXPECT_EQ(std::distance(begin(files), end(files)), 1);
}

TEST(SampleStore, RemovesTheNeighbourOfARunThatWasKilledBeforeItsFirstSample) {
  const TemporaryFolder folder;
  {
    SampleStore store(folder / "p", kIdentity, kShape, 3);
    put(store, 1);
  }
  std::ofstream(folder / "p.new") << "reserved";
  EXPECT_EQ(SampleStore(folder / "p", kIdentity, kShape, 3).finished(), 1);
  EXPECT_FALSE(std::filesystem::exists(folder / "p.new"));
}

TEST(SampleStore, KnowsAFileOfAnotherVersion) {
  const TemporaryFolder folder;
  {
    SampleStore store(folder / "p", kIdentity, kShape, 3);
    put(store, 1);
  }
  EXPECT_FALSE(SampleStore::of_another_version(folder / "p"));
  std::fstream(folder / "p", std::ios::in | std::ios::out | std::ios::binary) << "sextant samples 1\n";
  EXPECT_TRUE(SampleStore::of_another_version(folder / "p"));
  EXPECT_TRUE(SampleStore::stored_identity(folder / "p").is_null());
}

TEST(SampleStore, KeepsTheTraceOfEachSample) {
  const TemporaryFolder folder;
  const Tensor traces = at::tensor({0.1, 0.2, 0.3, 1e300, -0.0, 5e-324}, at::kDouble).view({2, 3});
  {
    SampleStore store(folder / "p", kIdentity, kShape, 3, 3);
    store.put({2, 0}, at::cat({image_of(2), image_of(0)}), {{}, {}}, traces);
    EXPECT_THROW(store.put({1}, image_of(1), {{}}, traces), ShapeError);
  }
  const SampleStore store(folder / "p", kIdentity, kShape, 3, 3);
  EXPECT_EQ(store.trace(2), (std::vector<double>{0.1, 0.2, 0.3}));
  EXPECT_EQ(store.trace(0), (std::vector<double>{1e300, -0.0, 5e-324}));
  EXPECT_TRUE(store.images(0, 3).equal(at::cat({image_of(0), image_of(2)})));
}

TEST(SampleStore, ReservesItsSpaceBeforehand) {
  const TemporaryFolder folder;
  try {
    const SampleStore store(folder / "p", kIdentity, {1 << 20, 1 << 10, 1 << 4}, 1 << 20);  // 16 PiB
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("cannot reserve"), std::string::npos) << error.what();
  }
}

TEST(SampleStore, AsksForRoomBeforeItTakesMemoryOrDisk) {
  const TemporaryFolder folder;
  try {
    const SampleStore store(folder / "p", kIdentity, {1024, 1024, 3}, 1'000'000'000);  // whose records are 40 GB
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find(" MiB are free"), std::string::npos) << error.what();
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(SampleStore, WritesFinishedSamplesInOrder) {
  const TemporaryFolder folder;
  SampleStore store(folder / "p", kIdentity, kShape, 5);
  for (const int64_t i : {3, 0, 2}) put(store, i);
  store.write_npz(folder / "s.npz");
  const auto arrays = checkpoint::load_npz(folder / "s.npz");
  EXPECT_TRUE(arrays.at("arr_0").equal(at::cat({image_of(0), image_of(2), image_of(3)})));
  EXPECT_TRUE(arrays.at("arr_1").equal(at::tensor({0, 20, 30}, at::kLong)));
}

}  // namespace
}  // namespace sextant::commands
