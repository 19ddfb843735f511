// A build without libtorch's Gloo.
#include "connection.h"

namespace sextant::distributed {

struct Group::Connection::Parts {};

Group::Connection::Connection(const World& world, const Environment&, const DeviceBackend& cards)
    : cards(cards), world_(world) {
  throw Error("this build of sextant has no Gloo (libgloo-dev beside the system's libtorch), so the " +
              std::to_string(world.size) + " processes of " + world.launcher +
              " cannot compute this together; 'sextant sample' and 'sextant sweep' can, they need none");
}

Group::Connection::~Connection() = default;
void Group::Connection::say(const std::string&) {}
void Group::Connection::leave(bool) {}
std::function<void()> Group::Connection::begin_sum(const Tensor&) {
  return [] {};
}
std::function<void(const Tensor& x)> Group::Connection::open_apart(const Environment&) {
  return [](const Tensor&) {};
}
DeviceGroup Group::Connection::open(at::Device) { return {}; }
std::vector<Tensor> Group::Connection::gather(const Tensor&) { return {}; }
void Group::Connection::carry_out(const std::function<void()>&) {}
void Group::Connection::meet(const Environment&) {}
void Group::Connection::look() {}
LostProcess Group::Connection::blamed(const std::string& cause) { return {cause, true}; }

}  // namespace sextant::distributed
