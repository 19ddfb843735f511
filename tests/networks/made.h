// Networks by the names of the families' table.
#pragma once

#include "internal/networks/family.h"
#include "support/device.h"

namespace sextant::networks {

inline const Family& family(const std::string& type) { return family_of({{"type", type}}); }

/// A network of a family on the device that is tested, as the interface that its role promises.
template <class Interface = Network>
std::unique_ptr<Interface> made(const std::string& type, const nlohmann::json& model) {
  std::unique_ptr<Interface> network(dynamic_cast<Interface*>(family(type).make(model).release()));
  if (network && !testing::test_device().is_cpu()) network->to(testing::test_device(), at::kFloat);
  return network;
}

}  // namespace sextant::networks
