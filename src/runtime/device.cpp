#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/detail/CUDAHooksInterface.h>

#include <map>
#include <thread>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include "sextant/runtime/device.h"
#include "sextant/runtime/error.h"

namespace sextant {

at::Device parse_device(const std::string& text) {
  const int cards = at::hasCUDA() ? at::detail::getCUDAHooks().getNumGPUs() : 0;
  if (text == "cpu" || (text == "auto" && cards == 0)) return at::kCPU;
  if (text == "auto") return at::Device(at::kCUDA, 0);
  const bool indexed = text.starts_with("cuda:");
  const std::string index = indexed ? text.substr(5) : "0";
  if ((!indexed && text != "cuda") || index.empty() || index.size() > 3 ||
      index.find_first_not_of("0123456789") != std::string::npos) {
    throw UsageError("device '" + text + "' is unknown; use auto, cpu, cuda or cuda:INDEX");
  }
  if (!at::hasCUDA()) {
    throw Error("device '" + text + "' is not available: this program was built with a libtorch for CPUs (" +
                libtorch_version() +
                "); build it with a CUDA PyTorch in the active environment, make TORCH=python, or "
                "use cpu");
  }
  if (std::stoi(index) >= cards) {
    throw Error("device '" + text + "' is not available: " +
                (cards == 0   ? std::string("no GPU is seen; is the driver loaded and CUDA_VISIBLE_DEVICES right?")
                 : cards == 1 ? std::string("there is cuda:0 alone")
                              : "there are cuda:0 to cuda:" + std::to_string(cards - 1)));
  }
  return at::Device(at::kCUDA, static_cast<at::DeviceIndex>(std::stoi(index)));
}

void check_precision(at::ScalarType precision, at::Device device) {
  if (precision == at::kHalf && device.is_cpu()) {
    throw Error("precision fp16 needs a GPU: libtorch has no float16 convolutions on a CPU; use bf16");
  }
}

at::ScalarType parse_precision(const std::string& text, at::Device device) {
  const std::map<std::string, at::ScalarType> words = {
      {"fp32", at::kFloat}, {"fp64", at::kDouble}, {"bf16", at::kBFloat16}, {"fp16", at::kHalf}};
  const auto found = words.find(text);
  if (found == words.end()) throw UsageError("precision '" + text + "' is unknown; use fp32, bf16 or fp16");
  check_precision(found->second, device);
  return found->second;
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
