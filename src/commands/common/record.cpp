#include "common/record.h"

#include "sextant/runtime/device.h"

namespace sextant::commands {

nlohmann::json versions_record(const std::string& device) {
  nlohmann::json record = {{"sextant", version()}, {"libtorch", libtorch_version()}, {"threads", threads()}};
  if (!device.empty()) record["device"] = device;
  return record;
}

}  // namespace sextant::commands
