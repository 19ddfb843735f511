// Processes of one job, and a training that they share.
#pragma once

#include <chrono>
#include <cstdlib>
#include <memory>
#include <thread>

#include "cli/train_fixture.h"
#include "support/ports.h"

namespace sextant::cli::testing {

using Processes = std::vector<std::unique_ptr<Program>>;

/// The processes of a job that meets at a port of this machine.
inline Processes job(int size, const Words& words, const std::string& timeout = "300",
                     const std::string& port = sextant::testing::free_port()) {
  setenv("MASTER_ADDR", "127.0.0.1", 1);
  setenv("MASTER_PORT", port.c_str(), 1);
  setenv("SEXTANT_TIMEOUT", timeout.c_str(), 1);
  Processes processes;
  for (int rank = 0; rank < size; ++rank) {
    const Rank environment(rank, size);
    processes.push_back(std::make_unique<Program>(words));
  }
  for (const char* name : {"MASTER_ADDR", "MASTER_PORT", "SEXTANT_TIMEOUT"}) unsetenv(name);
  return processes;
}

class SharedTraining : public ::testing::Test {
 protected:
  /// A denoiser without batch norms: its loss is a mean over images.
  Words denoiser(const std::string& out, const Words& more = {}) const {
    const fs::path path = folder_ / "denoiser.toml";
    std::ofstream(path) << R"([model]
type = "adm-unet"
null_label = 10
[model.model]
image_size = 28
in_channels = 1
model_channels = 32
out_channels = 2
num_res_blocks = 1
attention_resolutions = []
channel_mult = [1]
num_classes = 11
dropout = 0.1
use_scale_shift_norm = true
[model.diffusion]
steps = 50
noise_schedule = "cosine"
learn_sigma = true
[train]
batch = 6
steps = 8
[loss]
label-dropout = 0.2
timesteps = "stratified"
[optimizer]
lr = 1e-3
clip = 1
ema = 0.9
[augment]
crop = 2
[control]
log-every = 1
checkpoint-every = 3
threads = 1
)";
    Words words = {"train", "--recipe", path, "--data", digits(), "--out", folder_ / out};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  /// How many steps the training into `out` has logged.
  std::size_t curve_length(const std::string& out) const {
    std::ifstream file(folder_ / out / "metrics.jsonl");
    std::size_t lines = 0;
    for (std::string line; std::getline(file, line);) ++lines;
    return lines;
  }

  /// Whether the training into `out` came to its second step; false after a minute.
  bool under_way(const std::string& out) const {
    for (int i = 0; i < 3000; ++i) {
      if (curve_length(out) >= 2) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return false;
  }

  const TemporaryFolder folder_;
};

}  // namespace sextant::cli::testing
