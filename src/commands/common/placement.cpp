#include "common/placement.h"

#include "sextant/runtime/device.h"

namespace sextant::commands {

models::Placement placement_of(const RunConfig& run) {
  const at::Device device = parse_device(run.device);
  check_precision(run.precision, device);
  return {device, run.precision};
}

}  // namespace sextant::commands
