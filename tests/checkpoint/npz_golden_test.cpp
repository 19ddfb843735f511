// Archives as the field writes them, and malformed ones: math/npz/manifest.json.
#include "checkpoint/manifest.h"
#include "checkpoint/sha256.h"
#include "sextant/checkpoint/checkpoint.h"

namespace sextant::testing {

using namespace checkpoint;

namespace {

namespace fs = std::filesystem;

std::string bytes_of(const Tensor& tensor) {
  const Tensor data = tensor.contiguous();
  return data.numel() == 0 ? "" : std::string(static_cast<const char*>(data.data_ptr()), data.nbytes());
}

class NpzGolden : public ::testing::TestWithParam<ManifestCase> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(NpzGolden);

TEST_P(NpzGolden, ReadsTheArraysOrRefusesThemClearly) {
  const auto& [path, entry] = GetParam();
  const std::string expect = entry.at("read");
  try {
    const auto arrays = load_npz(path);
    EXPECT_NE(expect, "error") << entry.at("why");
    const nlohmann::json expectations = entry.value("arrays", nlohmann::json::object());
    for (const auto& [name, expected] : expectations.items()) {
      ASSERT_TRUE(arrays.count(name)) << name;
      EXPECT_EQ(arrays.at(name).sizes().vec(), expected.at("shape").get<std::vector<int64_t>>()) << name;
      EXPECT_EQ(sha256(bytes_of(arrays.at(name))),
                expected.at("sha256_of_c_order_little_endian_bytes").get<std::string>())
          << name;
      EXPECT_EQ(NpzReader(path).shape(name), arrays.at(name).sizes().vec()) << name;
    }
  } catch (const CheckpointError& error) {
    EXPECT_NE(expect, "ok") << error.what();
    expect_clear(error.what(), path);
  }
}

INSTANTIATE_TEST_SUITE_P(Manifest, NpzGolden, ::testing::ValuesIn(manifest_cases("math/npz")), manifest_name);

TEST(Sha256, OfTheStandardsExamples) {
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace sextant::testing
