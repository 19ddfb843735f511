// What there is to say of a machine's cards.
#pragma once

#include <string>
#include <vector>

namespace sextant {

/// What is known of CUDA when a device is asked for.
struct CudaState {
  bool built = false;              ///< libtorch has CUDA in it
  std::string libtorch;            ///< its version
  std::string cuda;                ///< the CUDA that it was made for
  std::vector<std::string> cards;  ///< names, cuda:0 first
};

/// Why device `text`, "cuda" or "cuda:INDEX", is not there, and what to do.
std::string missing_device(const std::string& text, const CudaState& state);

/// Whether sextant's own CUDA kernels and graphs are used: this build has them (SEXTANT_CUDA) and the environment does
/// not say SEXTANT_CUDA_KERNELS=0, with which all is libtorch's.
bool own_cuda_kernels();

/// 13000 -> "13.0"; "" for 0.
std::string cuda_version_text(long number);
/// cuDNN's number: 91300 -> "9.13.0", 8902 -> "8.9.2"; "" for 0.
std::string cudnn_version_text(long number);

/// The value of a line "TORCH_VERSION=1.13.1" or "TORCH_VERSION=1.13.1, " in libtorch's own account of its build, or
/// "" without one.
std::string torch_version_in(const std::string& config);

}  // namespace sextant
