#include "sextant/runtime/device.h"

#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <dlfcn.h>
#include <omp.h>

#include <algorithm>
#include <cstdlib>
#include <new>
#include <thread>
#include <utility>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include "internal/runtime/cuda.h"
#include "internal/runtime/libtorch.h"
#include "internal/runtime/precision_words.h"
#include "sextant/runtime/error.h"

namespace sextant {
namespace {

constexpr std::pair<const char*, DeviceKind> kDeviceKinds[] = {
    {"cpu", DeviceKind::kCpu}, {"cuda", DeviceKind::kCuda}, {"auto", DeviceKind::kAuto}};

int card_count() { return at::hasCUDA() ? static_cast<int>(at::detail::getCUDAHooks().getNumGPUs()) : 0; }

CudaState cuda_state() {
  const at::CUDAHooksInterface& hooks = at::detail::getCUDAHooks();
  const bool built = hooks.hasCUDART();
  return {built, libtorch_version(), built ? cuda_version_text(hooks.versionCUDART()) : "", cuda_cards()};
}

}  // namespace

DeviceChoice parse_device_choice(const std::string& text) {
  const auto colon = text.find(':');
  for (const auto& [word, kind] : kDeviceKinds) {
    if (text.substr(0, colon) != word) continue;
    if (colon == std::string::npos) return {kind};
    const std::string index = text.substr(colon + 1);
    const bool number = !index.empty() && index.size() <= 3 && index.find_first_not_of("0123456789") == index.npos;
    if (kind == DeviceKind::kCuda && number) return {kind, std::stoi(index)};
  }
  throw UsageError("device '" + text + "' is unknown; use auto, cpu, cuda or cuda:INDEX");
}

at::Device device_of(const DeviceChoice& choice) {
  const int cards = choice.kind == DeviceKind::kCpu ? 0 : card_count();
  if (choice.kind == DeviceKind::kCpu || (choice.kind == DeviceKind::kAuto && cards == 0)) return at::kCPU;
  const int index = choice.index.value_or(0);
  if (cards <= index) throw Error(missing_device(device_word(choice), cuda_state()));
  return at::Device(at::kCUDA, static_cast<at::DeviceIndex>(index));
}

at::Device parse_device(const std::string& text) { return device_of(parse_device_choice(text)); }

std::string device_word(const DeviceChoice& choice) {
  const auto* row = std::find_if(std::begin(kDeviceKinds), std::end(kDeviceKinds),
                                 [&](const auto& known) { return known.second == choice.kind; });
  std::string word = row->first;
  if (choice.index) word.append(":").append(std::to_string(*choice.index));
  return word;
}

std::string device_word(at::Device device) {
  return device.is_cuda() ? "cuda:" + std::to_string(device.has_index() ? device.index() : 0) : device.str();
}

const std::vector<std::pair<std::string, Precision>>& precision_words() {
  static const std::vector<std::pair<std::string, Precision>> kWords = {{"fp32", Precision::kFp32},
                                                                        {"tf32", Precision::kTf32},
                                                                        {"bf16", Precision::kBf16},
                                                                        {"fp16", Precision::kFp16},
                                                                        {"fp64", Precision::kFp64}};
  return kWords;
}

Precision parse_precision(const std::string& text, at::Device device) {
  for (const auto& [word, precision] : precision_words()) {
    if (word != text) continue;
    check_precision(precision, device);
    return precision;
  }
  throw UsageError("precision '" + text + "' is unknown; use fp32, tf32, bf16 or fp16");
}

at::ScalarType dtype_of(Precision precision) {
  switch (precision) {
    case Precision::kBf16:
      return at::kBFloat16;
    case Precision::kFp16:
      return at::kHalf;
    case Precision::kFp64:
      return at::kDouble;
    default:
      return at::kFloat;
  }
}

void check_precision(Precision precision, at::Device device) {
  if (!device.is_cpu()) return;
  if (precision == Precision::kFp16) {
    throw Error("precision fp16 needs a GPU: libtorch has no float16 convolutions on a CPU; use bf16");
  }
  if (precision == Precision::kTf32) {
    throw Error("precision tf32 needs a GPU: it is how its matrix units round float32; use fp32 or bf16");
  }
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

void set_cuda_arithmetic(CudaArithmetic how) {
  at::Context& context = at::globalContext();
  context.setAllowTF32CuDNN(how.tf32);
  context.setAllowTF32CuBLAS(how.tf32);
  context.setDeterministicCuDNN(how.deterministic);
  // Shapes stay the same from step to step, so trying each algorithm once pays; which one wins varies from run to run.
  context.setBenchmarkCuDNN(!how.deterministic);
  // cuBLAS reads it at its first use; without it, it splits sums as its streams happen to run.
  if (how.deterministic) setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0);
  context.setDeterministicAlgorithms(how.deterministic, /*warn_only=*/false);
}

namespace {

/// OpenBLAS over pthreads, which Debian's libtorch multiplies with, does not hear of OpenMP's number: it takes every
/// core, and its threads spin there for the next product while others have work.
void set_blas_threads(int count) {
  void* const there = dlsym(RTLD_DEFAULT, "openblas_set_num_threads");
  if (there != nullptr) reinterpret_cast<void (*)(int)>(there)(count);
}

}  // namespace

// As OpenMP counts them: those that the process may run on, which a batch system or a container makes fewer than the
// machine has.
int cores() { return std::max(1, omp_get_num_procs()); }

void set_threads(int count) {
  kThreads.check("set_threads", "threads", count);
  if (count == 0) count = cores();
  // oneDNN cuts its work for as many threads as are set here, and where OpenMP then starts fewer, those that sum a
  // convolution's weight gradient wait for the others for ever.
  count = std::min(count, omp_get_thread_limit());
  omp_set_dynamic(0);
  if (omp_get_max_active_levels() < 1) omp_set_max_active_levels(1);
  at::set_num_threads(count);
  set_blas_threads(count);
  // Numbers below 1e-38 slow every multiplication by a hundred cycles and change no pixel. Threads made later inherit
  // this.
  at::globalContext().setFlushDenormal(true);
}

void synchronize(at::Device device) {
  if (device.is_cuda()) at::detail::getCUDAHooks().deviceSynchronize(device.index() < 0 ? 0 : device.index());
}

bool is_out_of_memory(const std::exception& error) {
  if (dynamic_cast<const std::bad_alloc*>(&error) || dynamic_cast<const c10::OutOfMemoryError*>(&error)) return true;
  const auto* of_torch = dynamic_cast<const c10::Error*>(&error);
  if (!of_torch) return false;
  const std::string text = of_torch->what_without_backtrace();
  for (const char* sign : {"out of memory", "can't allocate memory", "not enough memory", "STATUS_ALLOC_FAILED"}) {
    if (text.find(sign) != std::string::npos) return true;
  }
  return false;
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
