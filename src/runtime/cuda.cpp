// What CUDA is here, asked without its headers: sextant is compiled where there are none.
#include "internal/runtime/cuda.h"

#include <ATen/Version.h>
#include <dlfcn.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "internal/runtime/libtorch.h"
#include "internal/runtime/text.h"
#include "sextant/runtime/device.h"

namespace sextant {
namespace {

/// The name of a card by the driver, which counts them as libtorch does; "" where it does not answer.
std::string card_name(int index) {
  constexpr int kSuccess = 0;
  constexpr int kLength = 256;
  static void* const driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_GLOBAL);
  if (!driver) return "";
  const auto init = reinterpret_cast<int (*)(unsigned)>(dlsym(driver, "cuInit"));
  const auto get = reinterpret_cast<int (*)(int*, int)>(dlsym(driver, "cuDeviceGet"));
  const auto name = reinterpret_cast<int (*)(char*, int, int)>(dlsym(driver, "cuDeviceGetName"));
  char text[kLength] = "";
  int device = 0;
  const bool told = init && get && name && init(0) == kSuccess && get(&device, index) == kSuccess &&
                    name(text, kLength, device) == kSuccess;
  return told ? text : "";
}

/// "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65.06  Sun ...": the first word with two points or more in it.
std::string driver_version() {
  std::ifstream file("/proc/driver/nvidia/version");
  std::string word;
  while (file >> word) {
    if (word.find_first_not_of("0123456789.") == std::string::npos && word.find('.') != std::string::npos) return word;
  }
  return "";
}

}  // namespace

std::string missing_device(const std::string& text, const CudaState& state) {
  const std::string what = "device '" + text + "' is not available: ";
  if (!state.built) {
    return what + "sextant was built with a libtorch for CPUs (" + state.libtorch +
           "); build it with PyTorch for CUDA (in its virtual environment: make TORCH=python), or use cpu";
  }
  if (state.cards.empty()) {
    return what + "libtorch " + state.libtorch + " with CUDA " + state.cuda +
           " sees no card; look at nvidia-smi and CUDA_VISIBLE_DEVICES, or use cpu";
  }
  std::vector<std::string> cards;
  for (std::size_t i = 0; i < state.cards.size(); ++i) {
    cards.push_back("cuda:" + std::to_string(i) + (state.cards[i].empty() ? "" : " (" + state.cards[i] + ")"));
  }
  return what + "there " + (cards.size() == 1 ? "is " : "are ") + joined(cards, ", ", " and ");
}

bool own_cuda_kernels() {
#if defined(SEXTANT_CUDA)
  static const bool chosen = [] {
    const char* value = std::getenv("SEXTANT_CUDA_KERNELS");
    return !value || std::string(value) != "0";
  }();
  return chosen;
#else
  return false;
#endif
}

std::string cuda_version_text(long number) {
  if (number <= 0) return "";
  return std::to_string(number / 1000) + "." + std::to_string(number % 1000 / 10);
}

std::string cudnn_version_text(long number) {
  if (number <= 0) return "";
  const long major = number >= 10000 ? 10000 : 1000;  // since 9.0 it has a digit more
  return std::to_string(number / major) + "." + std::to_string(number % major / 100) + "." +
         std::to_string(number % 100);
}

std::string torch_version_in(const std::string& config) {
  const std::string key = "TORCH_VERSION=";
  const std::size_t at = config.find(key);
  if (at == std::string::npos) return "";
  const std::size_t begin = at + key.size();
  return config.substr(begin, config.find_first_of(", \n", begin) - begin);
}

std::string libtorch_version() {
  const std::string loaded = torch_version_in(at::show_config());
  return loaded.empty() ? TORCH_VERSION : loaded;
}

std::vector<std::string> cuda_cards() {
  std::vector<std::string> cards;
  const int count = at::hasCUDA() ? static_cast<int>(at::detail::getCUDAHooks().getNumGPUs()) : 0;
  for (int i = 0; i < count; ++i) cards.push_back(card_name(i));
  return cards;
}

CudaVersions cuda_versions(at::Device device) {
  const at::CUDAHooksInterface& hooks = at::detail::getCUDAHooks();
  const at::Context& context = at::globalContext();
  return {card_name(device.has_index() ? device.index() : 0),
          driver_version(),
          cuda_version_text(hooks.versionCUDART()),
          cudnn_version_text(libtorch::cudnn_number()),
          context.allowTF32CuDNN() && context.allowTF32CuBLAS(),
          context.deterministicCuDNN()};
}

}  // namespace sextant
