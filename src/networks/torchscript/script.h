// A TorchScript archive as a function of tensors. The one place that knows libtorch's interpreter is its .cpp.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sextant/runtime/tensor.h"

namespace sextant::networks::torchscript {

class Script {
 public:
  /// Loads, rounds floating-point weights to `precision` (in float32 where the device computes in that), freezes.
  /// Errors: see the family's open().
  Script(const std::filesystem::path& file, at::Device device, at::ScalarType precision, double softplus_beta);
  ~Script();

  /// The result of forward, a single tensor, or the first of a tuple. Error, naming the file, where the program fails.
  Tensor operator()(const std::vector<Tensor>& arguments) const;

  /// Names and values of parameters and buffers before freezing.
  const std::vector<std::pair<std::string, Tensor>>& weights() const { return weights_; }
  const std::filesystem::path& file() const { return file_; }

 private:
  struct Program;
  std::filesystem::path file_;
  std::vector<std::pair<std::string, Tensor>> weights_;
  std::unique_ptr<Program> program_;
};

}  // namespace sextant::networks::torchscript
