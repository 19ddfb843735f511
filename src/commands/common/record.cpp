#include "common/record.h"

namespace sextant::commands {

nlohmann::json versions_record(const std::optional<DeviceChoice>& device) {
  nlohmann::json record = {{"sextant", version()}, {"libtorch", libtorch_version()}, {"threads", threads()}};
  if (!device) return record;
  const at::Device computed = device_of(*device);
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
