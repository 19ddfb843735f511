#include "common/placement.h"

#include <ATen/Context.h>

#include "sextant/runtime/device.h"

namespace sextant::commands {

models::Placement placement_of(const RunConfig& run) {
  const at::Device device = parse_device(run.device);
  check_precision(run.precision, device);
  // libtorch starts with TF32 in cuDNN's convolutions, ten bits: fp32 means float32 here.
  at::globalContext().setAllowTF32CuDNN(false);
  at::globalContext().setAllowTF32CuBLAS(false);
  return {device, run.precision};
}

}  // namespace sextant::commands
