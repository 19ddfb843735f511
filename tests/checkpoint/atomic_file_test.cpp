#include "atomic_file.h"

#include <sys/resource.h>

#include <csignal>

#include "checkpoint/manifest.h"
#include "sextant/checkpoint/checkpoint.h"
#include "sextant/checkpoint/npz.h"

namespace sextant::testing {

using namespace checkpoint;

namespace {

namespace fs = std::filesystem;
using checkpoint::AtomicFile;

std::size_t files_in(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

TEST(AtomicFile, ReplacesTheOldFileOnlyAtCommit) {
  const TemporaryFolder folder;
  const fs::path path = folder / "weights";
  write_bytes(path, "old");
  {
    AtomicFile file(path);
    file.write("new contents");
    EXPECT_EQ(read_bytes(path), "old");
    file.write_at(4, "C");
    file.commit();
  }
  EXPECT_EQ(read_bytes(path), "new Contents");
  EXPECT_EQ(files_in(folder.path()), 1u);
}

TEST(AtomicFile, LeavesNothingBehindWithoutCommit) {
  const TemporaryFolder folder;
  { AtomicFile(folder / "weights").write("half"); }
  EXPECT_EQ(files_in(folder.path()), 0u);
}

TEST(AtomicFile, NamesTheFileAndTheReasonWhenTheFolderIsMissing) {
  const TemporaryFolder folder;
  const fs::path path = folder / "missing/weights";
  const std::string message = message_of([&] { AtomicFile file(path); });
  expect_clear(message, path);
  EXPECT_NE(message.find("No such file"), std::string::npos) << message;
}

TEST(AtomicFile, RefusesToReplaceAFolder) {
  const TemporaryFolder folder;
  fs::create_directory(folder / "weights");
  expect_clear(message_of([&] { AtomicFile file(folder / "weights"); }), folder / "weights");
}

TEST(AtomicFile, WritesThroughALink) {
  const TemporaryFolder folder;
  write_bytes(folder / "real", "old");
  fs::create_symlink(folder / "real", folder / "link");
  AtomicFile file(folder / "link");
  file.write("new");
  file.commit();
  EXPECT_TRUE(fs::is_symlink(folder / "link"));
  EXPECT_EQ(read_bytes(folder / "real"), "new");
}

/// Files can grow to `bytes` only, as on a full disk; the signal that goes with it is ignored.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    getrlimit(RLIMIT_FSIZE, &before_);
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_ = {};
  void (*handler_)(int) = SIG_DFL;
};

TEST(AtomicFile, KeepsTheOldFileWhenTheDiskIsFull) {
  const TemporaryFolder folder;
  const fs::path path = folder / "model.safetensors";
  StateDict small, large;
  small.set("w", at::ones({3}));
  large.set("w", at::zeros({100000}));
  save_safetensors(path, small);
  const std::string before = read_bytes(path);
  {
    const FileSizeLimit limit(4096);
    expect_clear(message_of([&] { save_safetensors(path, large); }), path);
    expect_clear(message_of([&] { save_npz(path, {{"arr_0", at::zeros({100000})}}); }), path);
  }
  EXPECT_EQ(read_bytes(path), before);
  EXPECT_EQ(files_in(folder.path()), 1u);
}

}  // namespace
}  // namespace sextant::testing
