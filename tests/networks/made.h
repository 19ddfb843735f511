// Networks by the names of the families' table.
#pragma once

#include "internal/networks/family.h"

namespace sextant::networks {

inline const Family& family(const std::string& type) { return family_of({{"type", type}}); }

/// A network of a family, as the interface that its role promises.
template <class Interface = Network>
std::unique_ptr<Interface> made(const std::string& type, const nlohmann::json& model) {
  return std::unique_ptr<Interface>(dynamic_cast<Interface*>(family(type).make(model).release()));
}

}  // namespace sextant::networks
