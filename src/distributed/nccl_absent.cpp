// A build without libtorch's NCCL.
#include "internal/distributed/device_group.h"

namespace sextant::distributed {

const DeviceBackend& nccl() {
  static const DeviceBackend backend{
      "NCCL", at::kCUDA, "this build has no NCCL (SEXTANT_CUDA, a libtorch with it, and the header nccl.h)", nullptr};
  return backend;
}

}  // namespace sextant::distributed
