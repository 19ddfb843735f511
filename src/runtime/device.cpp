#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/detail/CUDAHooksInterface.h>

#include <thread>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include "sextant/runtime/device.h"
#include "sextant/runtime/error.h"

namespace sextant {

at::Device parse_device(const std::string& text) {
  if (text == "cpu") return at::kCPU;
  const bool indexed = text.starts_with("cuda:");
  const std::string index = indexed ? text.substr(5) : "0";
  if ((!indexed && text != "cuda") || index.empty() || index.size() > 3 ||
      index.find_first_not_of("0123456789") != std::string::npos) {
    throw UsageError("device '" + text + "' is unknown; use cpu, cuda or cuda:INDEX");
  }
  if (!at::hasCUDA() || at::detail::getCUDAHooks().getNumGPUs() <= std::stoi(index)) {
    throw Error("device '" + text + "' is not available: this build of libtorch sees " +
                std::to_string(at::hasCUDA() ? at::detail::getCUDAHooks().getNumGPUs() : 0) + " CUDA devices; use cpu");
  }
  return at::Device(at::kCUDA, static_cast<at::DeviceIndex>(std::stoi(index)));
}

at::ScalarType parse_precision(const std::string& text, at::Device device) {
  if (text == "fp32") return at::kFloat;
  if (text == "fp64") return at::kDouble;
  if (text == "bf16") return at::kBFloat16;
  if (text == "fp16") {
    if (device.is_cpu())
      throw Error("precision fp16 needs a GPU: libtorch has no float16 convolutions on a CPU; use bf16");
    return at::kHalf;
  }
  throw UsageError("precision '" + text + "' is unknown; use fp32, bf16 or fp16");
}

at::ScalarType arithmetic_type(at::ScalarType precision, at::Device device) {
  if (precision != at::kBFloat16 || !device.is_cpu()) return precision;
#if defined(__x86_64__)
  static const bool native = __builtin_cpu_supports("avx512bf16");
  return native ? at::kBFloat16 : at::kFloat;
#else
  return precision;
#endif
}

void set_threads(int count) {
  if (count < 0) throw UsageError("threads must be 0 (every core) or more, got " + std::to_string(count));
  if (count == 0) count = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  at::set_num_threads(count);
  // Numbers below 1e-38 slow every multiplication by a hundred cycles and change no pixel. Threads made later inherit
  // this.
  at::globalContext().setFlushDenormal(true);
}

void synchronize(at::Device device) {
  if (device.is_cuda()) at::detail::getCUDAHooks().deviceSynchronize(device.index() < 0 ? 0 : device.index());
}

void keep_freed_memory() {
#if defined(__GLIBC__)
  constexpr int kArrays = 32 << 20;  // the most that glibc takes
  mallopt(M_MMAP_THRESHOLD, kArrays);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
#endif
}

int threads() { return at::get_num_threads(); }

}  // namespace sextant
