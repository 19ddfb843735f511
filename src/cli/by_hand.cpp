#include "by_hand.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdint>
#include <cstdlib>

#include "internal/distributed/world.h"
#include "sextant/runtime/error.h"

namespace sextant::cli {
namespace {

bool read_number(std::string_view text, int64_t least, int64_t most, int64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && value >= least && value <= most;
}

int64_t whole_number(const std::string& flag, const std::string& text, int64_t least) {
  int64_t value = 0;
  if (!read_number(text, least, 1'000'000, value)) {
    throw UsageError(flag + " must be a whole number from " + std::to_string(least) + ", got '" + text + "'");
  }
  return value;
}

void say(const char* name, const std::string& value) { setenv(name, value.c_str(), 1); }

/// A name or an address, which libtorch would otherwise look for until its time is over.
bool may_be_host(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || std::string_view("-._:%").find(c) != std::string::npos;
  });
}

/// "node1:29500" or "[fe80::1]:29500" as the variables that say where processes meet; whether it is on this machine.
bool meet_at(const std::string& place) {
  const std::size_t colon = place.rfind(':');
  std::string host = place.substr(0, colon);
  const std::string port = colon == std::string::npos ? "" : place.substr(colon + 1);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  int64_t number = 0;
  if (!may_be_host(host) || (!bracketed && host.find(':') != std::string::npos) ||
      !read_number(port, 1, 65535, number)) {
    throw UsageError("--rendezvous must be HOST:PORT with a port from 1 to 65535, such as node1:29500, got '" + place +
                     "'");
  }
  say("MASTER_ADDR", host);
  say("MASTER_PORT", port);
  return host == "localhost" || host == "127.0.0.1" || host == "::1";
}

}  // namespace

std::span<const ByHandFlag> by_hand_flags(const Command& command) {
  return command.shared ? std::span<const ByHandFlag>(kByHandFlags) : std::span<const ByHandFlag>();
}

void enter_world(const ByHand& given) {
  if (given.rank.empty() && given.world_size.empty() && given.rendezvous.empty()) return;
  const std::string launcher = distributed::world_of(distributed::process_environment()).launcher;
  if (!launcher.empty()) {
    throw UsageError("--rank, --world-size and --rendezvous beside " + launcher +
                     ", which numbers its processes itself; leave out one or the other");
  }
  if (given.rank.empty() || given.world_size.empty()) {
    throw UsageError(std::string(given.rank.empty() ? "--rank" : "--world-size") +
                     " is missing: a process that is started by hand needs --rank and --world-size");
  }
  const int64_t rank = whole_number("--rank", given.rank, 0);
  const int64_t size = whole_number("--world-size", given.world_size, 1);
  if (rank >= size) throw UsageError("--rank " + given.rank + " must be below --world-size " + given.world_size);
  if (!given.rendezvous.empty() && meet_at(given.rendezvous)) {
    say("SEXTANT_LOCAL_RANK", given.rank);
    say("SEXTANT_LOCAL_WORLD_SIZE", given.world_size);
  }
  say("SEXTANT_RANK", given.rank);
  say("SEXTANT_WORLD_SIZE", given.world_size);
}

}  // namespace sextant::cli
