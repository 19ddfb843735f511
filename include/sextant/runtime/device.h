// Where and how numbers are computed: devices, precision, threads, versions.
#pragma once

#include <string>

#include "sextant/runtime/tensor.h"

namespace sextant {

/// "cpu", "cuda", "cuda:1", or "auto": the first GPU, the CPU where there is none. UsageError for another word, Error,
/// with what there is, when this machine has no such device.
at::Device parse_device(const std::string& text);

/// Error where the device computes this dtype not at all or only by emulation far slower than float32 (float16 on a
/// CPU).
void check_precision(at::ScalarType precision, at::Device device);

/// "fp32", "bf16", "fp16" (or "fp64", for tests): the networks' compute dtype. Throws UsageError for another word, and
/// as check_precision() does.
at::ScalarType parse_precision(const std::string& text, at::Device device);

/// The dtype in which networks of a precision are computed on a device: the same, but float32, faster and no less
/// exact, for bfloat16 on a CPU that lacks its instructions. Weights are rounded to `precision` either way.
at::ScalarType arithmetic_type(at::ScalarType precision, at::Device device);

/// Threads that libtorch uses within one operation; 0 takes every core. Debian's libtorch starts with one. From here on
/// denormal numbers count as zero.
void set_threads(int count);
int threads();

/// Waits until `device` has done what it was given; nothing on a CPU.
void synchronize(at::Device device);

/// Lets the process keep memory of up to 1 GiB that was freed, for the next step's arrays of the same sizes, instead of
/// having the kernel clear new pages each time: about 7 % of a guided step. For programs, at their start.
void keep_freed_memory();

/// sextant's version, "0.1.0", and libtorch's as the headers name it.
std::string version();
std::string libtorch_version();

}  // namespace sextant
