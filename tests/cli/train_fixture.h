// A training that takes a second, and folders to train on.
#pragma once

#include <algorithm>
#include <fstream>

#include "cli/program.h"
#include "internal/runtime/files.h"
#include "sextant/checkpoint/checkpoint.h"
#include "sextant/report/drawing.h"

namespace sextant::cli::testing {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

/// 200 digits for training, with their labels.
inline std::string digits() {
  static const TemporaryFolder folder;
  const fs::path path = folder / "digits.npz";
  if (fs::exists(path)) return path;
  const auto stored = checkpoint::load_npz(sextant::testing::source_dir() / "tests/models/data/mnist_test_200.npz");
  checkpoint::save_npz(path, {{"arr_0", stored.at("arr_0").unsqueeze(3)}, {"arr_1", stored.at("arr_1").to(at::kLong)}});
  return path;
}

/// A recipe of a network that trains in a second.
inline fs::path recipe(const TemporaryFolder& folder) {
  const fs::path path = folder / "tiny.toml";
  std::ofstream(path) << R"([model]
type = "resnet"
[model.model]
block = "BasicBlock"
layers = [1]
width = 8
in_channels = 1
num_classes = 10
stem_kernel = 3
stem_stride = 2
stem_pool = true
[model.input]
range = [0, 1]
size = 28

[train]
batch = 20
steps = 40
[optimizer]
lr = 3e-3
warmup = 5
ema = 0.9
[augment]
crop = 2
[control]
checkpoint-every = 3
log-every = 10
threads = 1
)";
  return path;
}

inline Words tiny(const TemporaryFolder& folder, const std::string& out, const Words& more = {}) {
  Words words = {"train", "--recipe", recipe(folder).string(), "--data", digits(), "--out", (folder / out).string()};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

inline void expect_refusal(const Outcome& outcome, int exit_code, const std::string& message) {
  EXPECT_EQ(outcome.exit_code, exit_code) << outcome.err;
  EXPECT_NE(outcome.err.find(message), std::string::npos) << outcome.err;
  const std::size_t last = outcome.err.rfind("sextant ");
  ASSERT_NE(last, std::string::npos) << outcome.err;
  EXPECT_EQ(std::count(outcome.err.begin() + static_cast<std::ptrdiff_t>(last), outcome.err.end(), '\n'), 1);
}

inline fs::path class_folders(const TemporaryFolder& folder) {
  const fs::path set = folder / "set";
  for (int64_t i = 0; i < 6; ++i) {
    fs::create_directories(set / std::to_string(i % 2));
    report::write_png(set / std::to_string(i % 2) / (std::to_string(i) + ".png"),
                      at::full({28, 28, 1}, 40 * i, at::kByte));
  }
  return set;
}

inline Words on(const TemporaryFolder& folder, const fs::path& data) {
  return {"train", "--recipe", recipe(folder).string(), "--data", data.string(), "--steps", "2", "--batch",
          "4",     "--out",    (folder / "o").string()};
}

}  // namespace sextant::cli::testing
