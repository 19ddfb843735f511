// Damage of every kind must end in an error or in tensors, never in a crash, a hang or a large allocation. Run with
// sanitizers this also finds reads outside the file.
#include <random>

#include "checkpoint/manifest.h"
#include "sextant/checkpoint/checkpoint.h"

namespace sextant::testing {

using namespace checkpoint;

namespace {

namespace fs = std::filesystem;

/// Loads damaged bytes; reads every element of what loads. Returns whether it was refused, clearly.
bool refused(const fs::path& path, const std::string& bytes) {
  write_bytes(path, bytes);
  try {
    for (const auto& [name, tensor] : load(path).tensors) {
      if (tensor.numel() > 0) tensor.contiguous().view({-1})[tensor.numel() - 1].item<double>();
    }
    return false;
  } catch (const CheckpointError& error) {
    expect_clear(error.what(), path);
    return true;
  }
}

/// Small files of every container, made here or bundled.
std::vector<fs::path> victims() {
  std::vector<fs::path> paths;
  for (const char* name : {"views_zip.pt", "views_legacy.pt", "bare_tensor.pt", "list.pt", "torchscript.pt",
                           "deflated.pt", "training_state.pt", "training_state_legacy.pt", "values.safetensors"}) {
    const fs::path path = golden_dir() / "models/checkpoints" / name;
    if (fs::exists(path)) paths.push_back(path);
  }
  return paths;
}

class Corruption : public ::testing::TestWithParam<fs::path> {
 protected:
  const TemporaryFolder folder_;
  const std::string original_ = read_bytes(GetParam());
  const fs::path damaged_ = folder_ / ("damaged" + GetParam().extension().string());
  // Always the same damage, unless --gtest_shuffle and --gtest_random_seed ask for other.
  std::mt19937_64 random_{17 + static_cast<uint64_t>(::testing::UnitTest::GetInstance()->random_seed())};
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Corruption);

TEST_P(Corruption, OfTheLengthIsAlwaysNoticed) {
  for (std::size_t size = 0; size < std::min<std::size_t>(original_.size(), 1500); ++size) {
    EXPECT_TRUE(refused(damaged_, original_.substr(0, size))) << size;
  }
  for (int i = 0; i < 300; ++i) {
    const std::size_t size = random_() % original_.size();
    EXPECT_TRUE(refused(damaged_, original_.substr(0, size))) << size;
  }
}

TEST_P(Corruption, OfBitsNeverCrashes) {
  for (int i = 0; i < 1500; ++i) {
    std::string bytes = original_;
    const int flips = 1 + static_cast<int>(random_() % 3);
    // Most damage where the structure is: near the beginning and the end.
    for (int k = 0; k < flips; ++k) {
      const std::size_t near = std::min<std::size_t>(bytes.size(), 4000);
      const uint64_t where = random_();
      const std::size_t at = where % 3 == 0   ? random_() % bytes.size()
                             : where % 3 == 1 ? random_() % near
                                              : bytes.size() - 1 - random_() % near;
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << random_() % 8));
    }
    refused(damaged_, bytes);
  }
}

TEST_P(Corruption, OfWholeNumbersNeverCrashes) {
  constexpr uint64_t kEvil[] = {
      0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, uint64_t{1} << 62, UINT64_MAX};
  for (int i = 0; i < 500; ++i) {
    std::string bytes = original_;
    const std::size_t at = random_() % bytes.size();
    const std::size_t width = std::min<std::size_t>(std::size_t{1} << random_() % 4, bytes.size() - at);
    uint64_t value = kEvil[random_() % std::size(kEvil)];
    for (std::size_t k = 0; k < width; ++k, value >>= 8) bytes[at + k] = static_cast<char>(value & 0xff);
    refused(damaged_, bytes);
  }
}

INSTANTIATE_TEST_SUITE_P(Golden, Corruption, ::testing::ValuesIn(victims()), [](const auto& info) {
  std::string name = info.param.filename().string();
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
});

}  // namespace
}  // namespace sextant::testing
