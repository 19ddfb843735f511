// The store of a rendezvous as every libtorch has it.
#pragma once

namespace sextant::distributed {

/// Options of a c10d::TCPStore that asks for no libuv: libtorch takes it by default since 2.4, and Debian builds
/// without. Only the server's own loop depends on it.
template <class StoreOptions>
StoreOptions without_libuv(StoreOptions options) {
  if constexpr (requires { options.useLibUV; }) options.useLibUV = false;
  return options;
}

}  // namespace sextant::distributed
