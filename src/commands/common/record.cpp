#include "common/record.h"

#include "sextant/runtime/device.h"

namespace sextant::commands {

nlohmann::json versions_record(const std::string& device) {
  nlohmann::json record = {{"sextant", version()}, {"libtorch", libtorch_version()}, {"threads", threads()}};
  if (device.empty()) return record;
  const at::Device computed = parse_device(device);
  record["device"] = device_word(computed);
  if (!computed.is_cuda()) return record;
  const CudaVersions cuda = cuda_versions(computed);
  record.update({{"gpu", cuda.gpu},
                 {"driver", cuda.driver},
                 {"cuda", cuda.cuda},
                 {"cudnn", cuda.cudnn},
                 {"tf32", cuda.tf32},
                 {"deterministic", cuda.deterministic}});
  return record;
}

}  // namespace sextant::commands
