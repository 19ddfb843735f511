#include "internal/runtime/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <thread>

#include "checkpoint/manifest.h"
#include "internal/runtime/folder.h"
#include "support/file_size_limit.h"

namespace sextant::testing {
namespace {

namespace fs = std::filesystem;

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

TEST(AtomicFile, KeepsTheOldFileWhenTheDiskIsFull) {
  const TemporaryFolder folder;
  const fs::path path = folder / "record";
  write_atomically(path, "old");
  {
    const FileSizeLimit limit(4096);
    expect_clear(message_of([&] { write_atomically(path, std::string(100000, 'x')); }), path);
  }
  EXPECT_EQ(read_file(path), "old");
  EXPECT_EQ(files_in(folder.path()), 1u);
}

TEST(FilesBelow, FollowsLinksButNotInCircles) {
  const TemporaryFolder folder;
  for (const char* name : {"a/deep/1", "elsewhere/2"}) {
    fs::create_directories((folder / name).parent_path());
    write_bytes(folder / name, "");
  }
  fs::create_directory_symlink(folder / "elsewhere", folder / "a/linked");
  fs::create_symlink(folder / "elsewhere/2", folder / "a/file");
  fs::create_symlink(folder / "nowhere", folder / "a/broken");
  EXPECT_EQ(files_below(folder / "a"),
            (std::vector<fs::path>{folder / "a/deep/1", folder / "a/file", folder / "a/linked/2"}));
  fs::create_directory_symlink(folder / "a", folder / "a/deep/around");
  const std::string message = message_of([&] { files_below(folder / "a"); });
  EXPECT_NE(message.find("is nested too deep; is it a link to a folder around it?"), std::string::npos) << message;
  expect_clear(message_of([&] { files_below(folder / "missing"); }), folder / "missing");
}

TEST(ReadFile, NamesWhatIsNoFile) {
  const TemporaryFolder folder;
  const auto refusal = [](const fs::path& path) { return message_of([&] { read_file(path); }); };
  EXPECT_EQ(refusal(folder.path()), "cannot read " + folder.path().string() + ": Is a directory");
  EXPECT_EQ(refusal("/dev/zero"), "cannot read /dev/zero: it is neither a file nor a pipe");
  EXPECT_EQ(refusal(folder / "missing"),
            "cannot read " + (folder / "missing").string() + ": No such file or directory");
}

TEST(ReadFile, WaitsForAPipeThatSomebodyWritesTo) {
  const TemporaryFolder folder;
  const fs::path path = folder / "pipe";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_EQ(message_of([&] { read_file(path); }), "cannot read " + path.string() + ": nothing comes out of this pipe");
  // Open for both, since opening it to write alone would wait for a reader.
  const int written = open(path.c_str(), O_RDWR);
  std::thread writer([&] {
    for (const char* part : {"first, ", "second"}) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      EXPECT_GT(write(written, part, std::strlen(part)), 0);
    }
    close(written);
  });
  EXPECT_EQ(read_file(path), "first, second");
  writer.join();
}

}  // namespace
}  // namespace sextant::testing
