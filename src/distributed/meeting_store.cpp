#include "meeting_store.h"

#include <c10/util/Logging.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <torch/csrc/distributed/c10d/FileStore.hpp>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "meeting_place.h"
#include "process.h"
#include "sextant/runtime/error.h"
#include "without_libuv.h"

namespace sextant::distributed {

int64_t number_of(const char* name, const std::string& text, int64_t most) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 1 || value > most) {
    throw UsageError(std::string("environment variable ") + name + " must be a number from 1 to " +
                     std::to_string(most) + ", got '" + text + "'");
  }
  return value;
}

namespace {

using std::chrono::milliseconds;

/// c10d warns of every answer that did not come in time, beside our line that says who is late. Only its errors are
/// left, unless the user asked for more.
void leave_out_warnings() {
#ifndef C10_USE_GLOG
  constexpr int kError = 2;
  if (std::getenv("TORCH_CPP_LOG_LEVEL") == nullptr) {
    FLAGS_caffe2_log_level = std::max<int>(FLAGS_caffe2_log_level, kError);
  }
#endif
}

/// For processes that a launcher started on one machine, since these have the same parent: torchrun itself, where
/// its own environment may number machines; of mpirun and srun what is behind a wrapper, too. A launcher that starts
/// them anew after a failure says which attempt it is.
std::string meeting_file(const World& world, const Environment& environment) {
  const bool torchrun = world.launcher == "torchrun";
  const std::string parent = torchrun ? std::to_string(getppid()) : ancestor_without(world.variable);
  const std::string attempt = environment("TORCHELASTIC_RESTART_COUNT").value_or("0");
  return (std::filesystem::temp_directory_path() /
          ("sextant-" + std::to_string(getuid()) + "-" + parent + "-" + began(parent) + "-" + attempt))
      .string();
}

/// A launcher's processes of one machine need no port, and no store of the same version as the launcher's own.
bool meets_at_file(const World& world, const Environment& environment) {
  const bool by_hand = world.launcher == "torchrun" && !environment("TORCHELASTIC_RUN_ID");
  const bool parent_seen = getppid() > 0;  // not from within another container
  return !by_hand && world.launcher != kByHand && parent_seen && world.local_size == world.size;
}

}  // namespace

Store open_store(const World& world, const Environment& environment, milliseconds timeout, std::string& place,
                 bool& by_file) {
  leave_out_warnings();
  if (meets_at_file(world, environment)) {
    by_file = true;
    place = meeting_file(world, environment);
    const auto store = c10::make_intrusive<c10d::FileStore>(place, static_cast<int>(world.size));
    store->setTimeout(timeout);
    return store;
  }
  const auto address = environment("MASTER_ADDR"), port = environment("MASTER_PORT");
  if (!address || !port) {
    const char* const needed = world.launcher == kByHand
                                   ? "rendezvous to HOST:PORT, the machine of rank 0 and a free port"
                                   : "MASTER_ADDR to the first one's machine and MASTER_PORT to a free port";
    throw UsageError("the " + std::to_string(world.size) + " processes of " + world.launcher +
                     " have no place to meet: set " + needed);
  }
  place = *address + ":" + *port;
  // torchrun may hold the store itself; its restarts must not see each other's keys.
  const bool held = environment("TORCHELASTIC_USE_AGENT_STORE").value_or("") == "True";
  c10d::TCPStoreOptions options;
  options.port = static_cast<std::uint16_t>(number_of("MASTER_PORT", *port, 65535));
  options.isServer = world.rank == 0 && !held;
  options.numWorkers = static_cast<std::size_t>(world.size);
  options.waitWorkers = false;
  options.timeout = timeout;
  const int64_t seconds = std::chrono::duration_cast<std::chrono::seconds>(timeout).count();
  await_meeting_place(*address, options.port, options.isServer, seconds);
  const std::string attempt = environment("TORCHELASTIC_RESTART_COUNT").value_or("0");
  return c10::make_intrusive<c10d::PrefixStore>("sextant/" + attempt,
                                                c10::make_intrusive<c10d::TCPStore>(*address, without_libuv(options)));
}

}  // namespace sextant::distributed
