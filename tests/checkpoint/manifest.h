// Cases of a golden manifest.json as gtest parameters, and small helpers for files.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sextant/checkpoint/checkpoint.h"
#include "sextant/runtime/error.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/golden.h"

namespace sextant::testing {

struct ManifestCase {
  std::filesystem::path path;
  nlohmann::json entry;
};

inline void PrintTo(const ManifestCase& one, std::ostream* out) { *out << one.path.filename(); }

/// The entries of golden_dir()/folder/manifest.json whose file is there; none when there is no manifest.
inline std::vector<ManifestCase> manifest_cases(const std::string& folder) {
  std::vector<ManifestCase> cases;
  const std::filesystem::path directory = golden_dir() / folder;
  std::ifstream file(directory / "manifest.json");
  if (!file) return cases;
  const nlohmann::json manifest = nlohmann::json::parse(file);
  for (const auto& entry : manifest.is_array() ? manifest : manifest.at("files")) {
    const std::filesystem::path path = directory / entry.at("file").get<std::string>();
    if (std::filesystem::exists(path)) cases.push_back({path, entry});
  }
  return cases;
}

inline std::string manifest_name(const ::testing::TestParamInfo<ManifestCase>& info) {
  std::string name = info.param.path.filename().string();
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return !std::isalnum(c); }, '_');
  return name;
}

/// What every refusal owes its reader: the file's name and a reason, in one line of bearable length.
inline void expect_clear(const std::string& message, const std::filesystem::path& path) {
  EXPECT_EQ(message.rfind(path.string() + ": ", 0), 0u) << message;
  EXPECT_GT(message.size(), path.string().size() + 6) << message;
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  EXPECT_LT(message.size(), path.string().size() + 600) << message;
}

/// The refusal of `bytes` saved as `name`, which must come at once.
inline std::string refusal(const std::string& bytes, const std::string& name = "a.pt") {
  const TemporaryFolder folder;
  write_bytes(folder / name, bytes);
  const std::clock_t start = std::clock();
  const std::string message = message_of([&] { checkpoint::load(folder / name); });
  EXPECT_LT(std::clock() - start, 5 * CLOCKS_PER_SEC);
  expect_clear(message, folder / name);
  return message;
}

}  // namespace sextant::testing
