#include "checkpoint/manifest.h"
#include "sextant/checkpoint/checkpoint.h"
#include "support/file_size_limit.h"

namespace sextant::testing {

using namespace checkpoint;

namespace {

namespace fs = std::filesystem;

TEST(DiskFull, LeavesTheOldCheckpoint) {
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
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()), 1);
}

}  // namespace
}  // namespace sextant::testing
