// Reference vectors: .safetensors files that carry inputs, expected outputs, every size and the tolerance.
//
// Tests find them by walking the folder named by SEXTANT_GOLDEN_DIR (default: tests/golden) and take all
// sizes from the file's metadata, so they also pass on vectors they have never seen.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sextant/checkpoint/checkpoint.h"
#include "sextant/runtime/tensor.h"

namespace sextant::testing {

/// The folder that holds `math/` and `models/`.
std::filesystem::path golden_dir();

/// What is wrong with a folder of reference vectors, in one line; "" for one that has `math/` and `models/`. Test
/// programs ask before the first test: a misspelt SEXTANT_GOLDEN_DIR would leave every loop over its files empty.
std::string why_not_golden(const std::filesystem::path& folder);

/// The repository's root, for bundled models and recipes.
std::filesystem::path source_dir();

/// All .safetensors directly in golden_dir()/`folder` whose file name starts with `prefix`, sorted; never fails.
std::vector<std::filesystem::path> golden_files(const std::string& folder, const std::string& prefix = "");

/// golden_files() whose metadata `kind` is `kind` (models/).
std::vector<std::filesystem::path> golden_files_of_kind(const std::string& kind);

/// |actual - expected| <= atol + rtol |expected|, elementwise.
struct Tolerance {
  double atol = 0;
  double rtol = 0;
};

class Golden {
 public:
  explicit Golden(const std::filesystem::path& path);

  bool has(const std::string& key) const { return file_.tensors.contains(key); }
  /// Inputs lie on the device that is tested: see support/device.h.
  const Tensor& operator[](const std::string& key) const { return file_.tensors.at(key); }
  const checkpoint::Checkpoint& file() const { return file_; }
  std::string name() const { return path_.stem().string(); }
  const std::filesystem::path& path() const { return path_; }

  const nlohmann::json& config() const { return config_; }
  std::string metadata(const std::string& key, const std::string& otherwise = "") const;

  /// math/: the first "abs A" and "rel R" of the tolerance's text after `marker` ("" = from its start).
  Tolerance tolerance(const std::string& marker = "") const;
  /// models/: `atol` of one output.
  Tolerance output_tolerance(const std::string& output) const;

  /// models/: the shipped weights, or those computed by the fill rule from `state_dict`.
  checkpoint::StateDict weights() const;

 private:
  std::filesystem::path path_;
  checkpoint::Checkpoint file_;
  nlohmann::json config_;
};

::testing::AssertionResult tensor_near(const Tensor& actual, const Tensor& expected, Tolerance tolerance);

/// The largest share of its tolerance that tensor_near() has seen used since the last call; 0 where nothing was
/// allowed.
double take_largest_share();

/// gtest parameter names from file names.
std::string golden_name(const ::testing::TestParamInfo<std::filesystem::path>& info);

#define EXPECT_TENSOR_NEAR(actual, expected, tolerance) \
  EXPECT_TRUE(::sextant::testing::tensor_near((actual), (expected), (tolerance))) << #actual

/// A directory that is removed with its contents at the end of the test.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace sextant::testing
