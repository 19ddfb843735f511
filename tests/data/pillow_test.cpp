// Files of many encodings have the pixels that Pillow reads from them: images/expected.json holds both.
#include <nlohmann/json.hpp>

#include "data/encoders.h"
#include "sextant/data/images.h"
#include "support/golden.h"

namespace sextant::testing {
namespace {

using nlohmann::json;

const std::filesystem::path& images_folder() {
  static const std::filesystem::path kFolder = source_dir() / "tests/data/images";
  return kFolder;
}

const json& expected() {
  static const json kExpected = json::parse(read_bytes(images_folder() / "expected.json"));
  return kExpected;
}

/// [C, H, W] of bytes in hexadecimal, row by row.
Tensor pixels_of(const std::string& digits, int64_t channels) {
  std::vector<uint8_t> bytes;
  for (std::size_t i = 0; i < digits.size(); i += 2)
    bytes.push_back(static_cast<uint8_t>(std::stoi(digits.substr(i, 2), nullptr, 16)));
  const int64_t height = expected().at("height"), width = expected().at("width");
  return at::tensor(bytes, at::kByte).view({height, width, channels}).permute({2, 0, 1});
}

std::vector<std::string> names() {
  std::vector<std::string> names;
  for (const auto& [name, pixels] : expected().at("files").items()) names.push_back(name);
  return names;
}

class Pillow : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const auto webp = std::filesystem::path(GetParam()).extension() == ".webp";
    if (!webp) return;
    try {
      data::read_image(images_folder() / GetParam());
    } catch (const DataError& problem) {
      if (std::string(problem.what()).find("this build does not read") != std::string::npos) GTEST_SKIP();
    }
  }
};

TEST_P(Pillow, ReadsTheSameColours) {
  const Tensor rgb = pixels_of(expected()["files"][GetParam()]["rgb"], 3);
  const Tensor read = data::read_image(images_folder() / GetParam(), 3);
  EXPECT_TRUE(at::equal(read, rgb)) << (read.to(at::kInt) - rgb.to(at::kInt)).abs().max();
}

TEST_P(Pillow, MakesTheSameGrey) {
  const Tensor luma = pixels_of(expected()["files"][GetParam()]["luma"], 1);
  const Tensor read = data::read_image(images_folder() / GetParam(), 1);
  EXPECT_TRUE(at::equal(read, luma)) << (read.to(at::kInt) - luma.to(at::kInt)).abs().max();
}

INSTANTIATE_TEST_SUITE_P(Encodings, Pillow, ::testing::ValuesIn(names()), [](const auto& info) {
  std::string name = info.param;
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return !std::isalnum(c); }, '_');
  return name;
});

}  // namespace
}  // namespace sextant::testing
