// Where and how numbers are computed: devices, precision, threads, versions.
#pragma once

#include <exception>
#include <optional>
#include <string>
#include <vector>

#include "sextant/runtime/range.h"
#include "sextant/runtime/tensor.h"

namespace sextant {

enum class DeviceKind {
  kCpu,
  kCuda,
  kAuto  ///< the first GPU, the CPU where there is none
};

/// A device as a setting names it, whether this machine has it or not.
struct DeviceChoice {
  DeviceKind kind = DeviceKind::kCpu;
  std::optional<int> index = {};  ///< of a GPU; none is the first
};

/// "cpu", "cuda", "cuda:1" or "auto"; UsageError for another word.
DeviceChoice parse_device_choice(const std::string& text);
/// The device itself. Error, with what there is, when this machine has no such device.
at::Device device_of(const DeviceChoice& choice);
/// Both: the device that `text` names.
at::Device parse_device(const std::string& text);
/// The word of a device: "cpu" or "cuda:1"; of a choice also "cuda" and "auto".
std::string device_word(at::Device device);
std::string device_word(const DeviceChoice& choice);

/// The networks' arithmetic. kTf32 are float32 numbers whose products a GPU rounds to ten bits; it is a switch of the
/// whole process: set_cuda_arithmetic().
enum class Precision { kFp32, kTf32, kBf16, kFp16, kFp64 };

/// "fp32", "tf32", "bf16", "fp16" (or "fp64", for tests). Throws UsageError for another word, and as check_precision()
/// does.
Precision parse_precision(const std::string& text, at::Device device);
/// The dtype of the networks' weights.
at::ScalarType dtype_of(Precision precision);

/// Error where the device computes in this precision not at all or only by emulation far slower than float32: float16
/// and TF32 on a CPU.
void check_precision(Precision precision, at::Device device);

/// The dtype in which networks of a precision are computed on a device: the same, but float32, faster and no less
/// exact, for bfloat16 on a CPU that lacks its instructions. Weights are rounded to `precision` either way.
at::ScalarType arithmetic_type(at::ScalarType precision, at::Device device);

/// How cuDNN, cuBLAS and ATen compute on a GPU, in the whole process; on a CPU nothing changes. libtorch itself starts
/// with TF32 in convolutions: whoever wants float32 on a GPU calls this once, as every command does.
struct CudaArithmetic {
  bool tf32 = false;           ///< float32 products in TF32, of convolutions and of matrices
  bool deterministic = false;  ///< the same bits in every run: no algorithm that adds in a varying order, none chosen
                               ///< by timing; an operation that has no other way is an error. Before CUDA's first use
};
void set_cuda_arithmetic(CudaArithmetic how);

/// The cores that this process may run on.
int cores();

/// Threads that libtorch uses within one operation, at most OMP_THREAD_LIMIT; 0 takes all of cores(). Debian's libtorch
/// starts with one. From here on OMP_DYNAMIC is off in the calling thread, and denormal numbers count as zero.
/// UsageError for a count out of kThreads.
void set_threads(int count);
inline constexpr Range kThreads{0, 4096};
int threads();

/// Waits until `device` has done what it was given; nothing on a CPU.
void synchronize(at::Device device);

/// Whether the memory of a CPU or a GPU ran out; libtorch tells some of it by its text alone.
bool is_out_of_memory(const std::exception& error);

/// Lets the process keep memory of up to 1 GiB that was freed, for the next step's arrays of the same sizes, instead of
/// having the kernel clear new pages each time: about 7 % of a guided step. For programs, at their start.
void keep_freed_memory();

/// sextant's version, "0.1.0", and that of the libtorch that is loaded, "2.11.0".
std::string version();
std::string libtorch_version();

/// What computes on a GPU; empty texts where it is not known.
struct CudaVersions {
  std::string gpu;     ///< "NVIDIA H100 80GB HBM3"
  std::string driver;  ///< "580.65.06"
  std::string cuda;    ///< of the runtime that libtorch brings, "13.0"
  std::string cudnn;   ///< "9.13.0"
  bool tf32 = false;   ///< what set_cuda_arithmetic() chose
  bool deterministic = false;
};
CudaVersions cuda_versions(at::Device device);
/// The names of the cards that libtorch sees, cuda:0 first.
std::vector<std::string> cuda_cards();

}  // namespace sextant
