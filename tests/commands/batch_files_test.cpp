#include "sample/batch_files.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "internal/runtime/files.h"
#include "sextant/checkpoint/checkpoint.h"
#include "sextant/runtime/error.h"
#include "support/errors.h"
#include "support/golden.h"

namespace sextant::commands {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using sextant::testing::TemporaryFolder;

json shared_settings(uint64_t seed, int64_t count = 7) {
  SampleConfig config;
  config.sample.seed = seed;
  config.sample.count = count;
  config.sample.batch = 2;
  return OptionTable("sample", sample_options(config)).to_json();
}

json weights_with(const std::string& hash) {
  return json::array({json{{"role", "model"}, {"file", "m"}, {"hash", hash}}});
}

Batch black(int64_t count) {
  return {at::zeros({count, 2, 2, 1}, at::kByte), std::vector<SampleRecord>(static_cast<std::size_t>(count)),
          at::zeros({count, 0, kTraceNumbers}, at::kDouble)};
}

/// How many of several that begin together find that all agree with them.
template <class Action>
int agreeing(const Action& action) {
  constexpr int kProcesses = 4;
  std::atomic<int> waiting = kProcesses, agreed = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kProcesses; ++i) {
    threads.emplace_back([&, i] {
      for (--waiting; waiting > 0;) std::this_thread::yield();
      try {
        action(i);
        ++agreed;
      } catch (const UsageError&) {  // of the others
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return agreed;
}

TEST(BatchFiles, OfSeveralThatBeginTogetherHaveTheSettingsAndWeightsOfOne) {
  const TemporaryFolder folder;
  for (int round = 0; round < 20; ++round) {
    const fs::path batches = folder / std::to_string(round);
    fs::create_directory(batches);
    EXPECT_EQ(agreeing([&](int i) { BatchFiles(batches, shared_settings(static_cast<uint64_t>(i))); }), 1);
    const json settings = BatchFiles::settings_in(batches);
    EXPECT_EQ(agreeing([&](int i) { BatchFiles(batches, settings).agree_on_weights(weights_with(std::to_string(i))); }),
              1);
    EXPECT_EQ(std::distance(fs::directory_iterator(batches), {}), 2) << "beside the two files something was left";
  }
}

TEST(BatchFiles, AreRefusedWhereTheyWereDrawnWithOtherSettingsOrWeights) {
  const TemporaryFolder folder;
  BatchFiles first(folder.path(), shared_settings(1));
  first.agree_on_weights(weights_with("a"));
  first.put(0, black(2));
  first.put(1, black(2));
  EXPECT_EQ(first.get(0, weights_with("a")).images.size(0), 2);
  if (checkpoint::NpzReader(first.file(0)).read("weights").numel() == 0) GTEST_SKIP() << "a build without hashes";

  fs::remove(folder / "weights.json");
  BatchFiles changed(folder.path(), shared_settings(1));
  changed.agree_on_weights(weights_with("b"));
  changed.put(1, black(2));
  EXPECT_NO_THROW(changed.get(1, weights_with("b")));
  EXPECT_EQ(testing::message_of([&] { changed.get(0, weights_with("b")); }),
            first.file(0).string() + " was drawn with other weights than " + (folder / "weights.json").string() +
                " has. Remove it and start its task again");

  fs::remove(folder / "settings.json");
  const BatchFiles other(folder.path(), shared_settings(2));
  EXPECT_EQ(testing::message_of([&] { other.get(0, weights_with("a")); }),
            first.file(0).string() + " was drawn with other settings than " + (folder / "settings.json").string() +
                " has. Remove it and start its task again");
}

TEST(BatchFiles, WithoutASignatureAreTaken) {
  const TemporaryFolder folder;
  BatchFiles files(folder.path(), shared_settings(1));
  files.agree_on_weights(weights_with("a"));
  files.put(0, black(2));
  auto arrays = checkpoint::load_npz(files.file(0));
  checkpoint::save_npz(files.file(0),
                       {{"images", arrays["images"]}, {"records", arrays["records"]}, {"traces", arrays["traces"]}});
  EXPECT_NO_THROW(files.get(0, weights_with("a")));
}

TEST(BatchFiles, WhoseRecordsAreDamagedAreRefusedByName) {
  const TemporaryFolder folder;
  for (const char* text : {"", "{\"sample\": {\"cou", "\"text\""}) {
    for (const char* name : {"settings.json", "weights.json"}) {
      const fs::path batches = folder / "b";
      fs::remove_all(batches);
      BatchFiles files(batches, shared_settings(1));
      files.agree_on_weights(weights_with("a"));
      write_atomically(batches / name, text);
      const std::string message = testing::message_of<UsageError>(
          [&] { BatchFiles(batches, shared_settings(1)).agree_on_weights(weights_with("b")); });
      EXPECT_EQ(message, (batches / name).string() +
                             " is damaged: it is no JSON; remove it and start a task again, which writes it anew");
      EXPECT_EQ(read_file(batches / name), text) << "it was written over";
    }
  }
}

TEST(BatchFiles, ThatAnotherRunHasPutTogetherAreFinished) {
  const TemporaryFolder folder;
  BatchFiles files(folder.path(), shared_settings(1, 301));  // 151 batches, more than a word of 64
  for (const int64_t images : {0, 1, 5, 127, 128, 129, 255, 300, 301}) {
    files.keep(images);
    const int64_t kept = std::min<int64_t>(images / 2, 150);
    EXPECT_EQ(files.kept(), kept);
    EXPECT_EQ(files.missing().size(), 151 - kept);
    EXPECT_EQ(files.finished(files.missing()), 2 * kept);
    EXPECT_EQ(files.has(0), kept > 0);
    EXPECT_FALSE(files.has(kept));
  }
}

TEST(BatchFiles, ThatAreOnlyReadAreNotMade) {
  const TemporaryFolder folder;
  EXPECT_EQ(testing::message_of([&] { BatchFiles::there(folder / "none", shared_settings(1)); }),
            (folder / "none").string() + " holds no batches of a shared run");
  EXPECT_FALSE(fs::exists(folder / "none"));
}

}  // namespace
}  // namespace sextant::commands
