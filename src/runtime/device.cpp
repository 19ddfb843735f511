#include <ATen/Parallel.h>

#include <thread>

#include "sextant/error.h"
#include "sextant/runtime.h"

namespace sextant {

at::Device parse_device(const std::string& text) {
  if (text == "cpu") return at::kCPU;
  const bool indexed = text.rfind("cuda:", 0) == 0;
  const std::string index = indexed ? text.substr(5) : "0";
  if ((!indexed && text != "cuda") || index.empty() || index.size() > 3 ||
      index.find_first_not_of("0123456789") != std::string::npos) {
    throw UsageError("device '" + text + "' is unknown; use cpu, cuda or cuda:INDEX");
  }
  if (!at::hasCUDA() || at::detail::getCUDAHooks().getNumGPUs() <= std::stoi(index)) {
    throw Error("device '" + text + "' is not available: this build of libtorch sees " +
                std::to_string(at::hasCUDA() ? at::detail::getCUDAHooks().getNumGPUs() : 0) + " CUDA devices; use --device cpu");
  }
  return at::Device(at::kCUDA, static_cast<at::DeviceIndex>(std::stoi(index)));
}

at::ScalarType parse_precision(const std::string& text, at::Device device) {
  if (text == "fp32") return at::kFloat;
  if (text == "fp64") return at::kDouble;
  if (text == "bf16") return at::kBFloat16;
  if (text == "fp16") {
    if (device.is_cpu()) throw Error("precision fp16 needs a GPU: libtorch has no float16 convolutions on a CPU; use bf16");
    return at::kHalf;
  }
  throw UsageError("precision '" + text + "' is unknown; use fp32, bf16 or fp16");
}

void set_threads(int count) {
  if (count < 0) throw UsageError("threads must be 0 (every core) or more, got " + std::to_string(count));
  if (count == 0) count = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  at::set_num_threads(count);
}

int threads() { return at::get_num_threads(); }

}  // namespace sextant
