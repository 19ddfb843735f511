// Processes that meet by libtorch's stores and compute together by its Gloo: all that depends on c10d and its version.
#ifndef USE_C10D_GLOO
#define USE_C10D_GLOO  // libtorch hides the class from files that do not say that they have Gloo's headers
#endif

#include <map>
#include <sstream>
#include <thread>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

#include "connection.h"
#include "patient_store.h"
#include "process.h"

namespace sextant::distributed {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kMoment(5000);  ///< enough for a store that answers at all

/// libtorch's messages go on with a stack.
std::string first_line_of(const std::exception& error) {
  const std::string text = error.what();
  return text.substr(0, text.find('\n'));
}

std::string key(const char* what, int64_t rank) { return what + std::to_string(rank); }

}  // namespace

using Gloo = c10::intrusive_ptr<c10d::ProcessGroupGloo>;

struct Group::Connection::Parts {
  std::string place;  ///< where the processes meet
  bool by_file = false;
  PatientStore store;
  Gloo gloo;
  std::vector<Gloo> apart;
  std::vector<DeviceGroup> on_cards;
  std::vector<Member> members;
  std::string where;
  int64_t steps = 0;                              ///< times that it said where it is
  std::chrono::steady_clock::time_point said_at;  ///< when the others were told last
  void tell(int64_t rank) {
    store.set(key("at/", rank), std::to_string(steps) + " " + where);
    said_at = std::chrono::steady_clock::now();
  }
};

namespace {

c10::intrusive_ptr<c10d::ProcessGroupGloo::Options> gloo_options(const World& world, const Environment& environment,
                                                                 milliseconds timeout) {
  auto options = c10d::ProcessGroupGloo::Options::create(timeout);
  const bool one_machine = world.local_size == world.size;
  if (const auto interface = environment("GLOO_SOCKET_IFNAME")) {
    options->devices.push_back(c10d::ProcessGroupGloo::createDeviceForInterface(*interface));
  } else if (one_machine) {
    options->devices.push_back(c10d::ProcessGroupGloo::createDeviceForHostname("127.0.0.1"));
  } else {
    options->devices.push_back(c10d::ProcessGroupGloo::createDefaultDevice());
  }
  options->threads = 2;
  return options;
}

/// Where all come at the same time. Another `name` makes other connections.
Gloo gloo_of(PatientStore& store, const std::string& name, const World& world, const Environment& environment,
             milliseconds timeout) {
  const auto gloo = std::make_shared<Gloo>();
  store.use(2 * timeout, [gloo, name, world, options = gloo_options(world, environment, timeout)](const Store& whole) {
    const Store part = name.empty() ? whole : Store(c10::make_intrusive<c10d::PrefixStore>(name, whole));
    *gloo = c10::make_intrusive<c10d::ProcessGroupGloo>(part, static_cast<int>(world.rank),
                                                        static_cast<int>(world.size), options);
  });
  return *gloo;
}

}  // namespace

Group::Connection::Connection(const World& world, const Environment& environment, const DeviceBackend& cards)
    : cards(cards), world_(world), parts_(std::make_shared<Parts>()) {
  if (const auto seconds = environment("SEXTANT_TIMEOUT"))
    timeout_ = number_of("SEXTANT_TIMEOUT", *seconds, 1'000'000'000);
  const auto who = [&] { return "rank " + std::to_string(world.rank) + " of " + std::to_string(world.size); };
  try {
    meet(environment);
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    throw Error(who() + " on " + host() + " did not meet the others at " + parts_->place + ": " + first_line_of(error) +
                (world.rank == 0 ? "" : "; rank 0, which all meet at, says more"));
  }
}

void Group::Connection::meet(const Environment& environment) {
  Parts& p = *parts_;
  const milliseconds timeout = this->timeout();
  p.store = PatientStore(open_store(world_, environment, timeout, p.place, p.by_file), timeout);
  // A launcher numbers its processes right.
  if (world_.launcher == kByHand) check_number();
  p.store.set(key("who/", world_.rank), introduction());
  std::vector<std::string> all;
  for (int64_t r = 0; r < world_.size; ++r) all.push_back(key("who/", r));
  try {
    p.store.wait(all, timeout);
  } catch (const std::exception&) {
    std::string missing;
    for (int64_t r = 0; r < world_.size; ++r) {
      if (!p.store.check(key("who/", r))) missing += (missing.empty() ? "" : ", ") + std::to_string(r);
    }
    throw Error("of the " + std::to_string(world_.size) + " processes, rank " + missing + " did not come to " +
                p.place + " within " + std::to_string(timeout_) + " s (SEXTANT_TIMEOUT)");
  }
  for (const std::string& name : all) p.members.emplace_back(p.store.get(name));
  p.gloo = gloo_of(p.store, "", world_, environment, timeout);
}

void Group::Connection::check_number() {
  Parts& p = *parts_;
  if (world_.rank == 0) p.store.set("size", std::to_string(world_.size));
  const std::string size = p.store.get("size");
  if (size != std::to_string(world_.size)) {
    throw UsageError("rank " + std::to_string(world_.rank) + " was started as one of " + std::to_string(world_.size) +
                     " processes, rank 0 as one of " + size + ": give all the same world-size");
  }
  if (p.store.add(key("came/", world_.rank), 1) > 1) {
    throw UsageError("rank " + std::to_string(world_.rank) + " came to " + p.place +
                     " twice: give each process a rank of its own");
  }
}

Group::Connection::~Connection() {
  // A store ends with its server, which may wait for the rest of a stalled process's message.
  within(kMoment, [parts = std::move(parts_)]() mutable { parts.reset(); });
}

void Group::Connection::say(const std::string& where) {
  constexpr milliseconds kBetween(200);  // a store keeps all that it was told, and steps may be short
  Parts& p = *parts_;
  p.where = where;
  ++p.steps;
  if (p.steps > 1 && std::chrono::steady_clock::now() - p.said_at < kBetween) return;
  carry_out([&] { p.tell(world_.rank); });
}

void Group::Connection::leave(bool failed) {
  Parts& p = *parts_;
  const auto close = [&] {
    for (const DeviceGroup& group : p.on_cards) within(kMoment, [group, failed] { group.close(failed); });
  };
  try {
    if (!failed) close();
    p.store.set_patience(kMoment);
    if (failed) p.store.set("failed", "1");
    p.store.set(key(failed ? "failed/" : "left/", world_.rank), "1");
    if (failed) close();
    if (failed || p.by_file || world_.rank != 0) return;
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(timeout_);
    for (int64_t r = 1; r < world_.size; ++r) {
      const auto needs_nothing = [&] {
        return p.store.check(key("left/", r)) || p.store.check(key("failed/", r)) ||
               p.members[static_cast<std::size_t>(r)].gone(p.members[0]);
      };
      while (!needs_nothing() && std::chrono::steady_clock::now() < until)
        std::this_thread::sleep_for(milliseconds(20));
    }
  } catch (const std::exception&) {
    // The store is gone, and with it whoever could have waited.
  }
}

std::function<void()> Group::Connection::begin_sum(const Tensor& x) {
  std::vector<Tensor> tensors = {x};
  const auto work = parts_->gloo->allreduce(tensors);
  return [work] { work->wait(); };
}

std::function<void(const Tensor& x)> Group::Connection::open_apart(const Environment& environment) {
  Parts& p = *parts_;
  p.apart.push_back(gloo_of(p.store, "apart/" + std::to_string(p.apart.size()), world_, environment, timeout()));
  return [gloo = p.apart.back().get()](const Tensor& x) {
    std::vector<Tensor> tensors = {x};
    gloo->allreduce(tensors)->wait();
  };
}

DeviceGroup Group::Connection::open(at::Device device) {
  const auto store = std::make_shared<Store>();
  parts_->store.use(timeout(), [store](const Store& ours) { *store = ours; });
  const auto open = [by = cards.open, store, world = world_, timeout = timeout(), device] {
    return by(*store, world, timeout, device);
  };
  parts_->on_cards.push_back(open_group(cards.name, device, open, timeout(), [this] { look(); }));
  return parts_->on_cards.back();
}

void Group::Connection::look() {
  Parts& p = *parts_;
  for (const Member& member : p.members) {
    if (member.gone(p.members[static_cast<std::size_t>(world_.rank)])) throw std::runtime_error("a process is gone");
  }
  if (p.store.check("failed")) throw std::runtime_error("a process failed");
}

std::vector<Tensor> Group::Connection::gather(const Tensor& x) {
  std::vector<Tensor> input = {x.contiguous()};
  std::vector<std::vector<Tensor>> output(1);
  for (int64_t r = 0; r < world_.size; ++r) output[0].push_back(at::empty_like(input[0]));
  parts_->gloo->allgather(output, input)->wait();
  return output[0];
}

void Group::Connection::carry_out(const std::function<void()>& collective) {
  try {
    collective();
  } catch (const Error&) {
    throw;  // nobody else's fault
  } catch (const std::exception& error) {
    throw blamed(first_line_of(error));
  }
}

LostProcess Group::Connection::blamed(const std::string& cause) {
  Parts& p = *parts_;
  const Member& self = p.members[static_cast<std::size_t>(world_.rank)];
  std::optional<int64_t> failed;                            // of a rank that said so
  std::map<int64_t, std::pair<int64_t, std::string>> last;  // how often each said where it is, and where
  std::optional<int64_t> gone;
  bool reachable = true;
  bool first = true;
  const auto ask = [&](const std::function<void()>& question) {
    try {
      if (reachable) question();
    } catch (const std::exception&) {
      reachable = false;
    }
  };
  p.store.set_patience(kMoment);
  ask([&] {
    p.tell(world_.rank);
    p.store.set(key("noticed/", world_.rank), "1");
  });
  // A killed process takes a moment to end, and one that fails to say so.
  for (int attempt = 0; attempt < 20 && !gone && !failed; ++attempt) {
    if (attempt > 0) std::this_thread::sleep_for(milliseconds(50));
    for (int64_t r = 0; r < world_.size; ++r) {
      if (r == world_.rank) continue;
      const bool seen_to_be_gone = p.members[static_cast<std::size_t>(r)].gone(self);
      ask([&] {
        if (!failed && p.store.check(key("failed/", r))) failed = r;
        if (p.store.check(key("at/", r))) {
          std::istringstream said(p.store.get(key("at/", r)));
          said >> last[r].first >> std::ws;
          std::getline(said, last[r].second);
        }
        // Who shares its machine tells the others.
        if (seen_to_be_gone) p.store.set(key("gone/", r), "1");
        if (!gone && p.store.check(key("gone/", r))) gone = r;
      });
      if (!gone && seen_to_be_gone) gone = r;
    }
  }
  if (failed) gone.reset();
  ask([&] { first = p.store.add("blamed", 1) == 1 && !failed; });  // one that fails says so itself
  const auto named = [&](int64_t r) {
    const std::string where = last.count(r) && !last[r].second.empty() ? last[r].second : p.where;
    return "rank " + std::to_string(r) + " on " + p.members[static_cast<std::size_t>(r)].host +
           (where.empty() ? "" : ", " + where);
  };
  const auto lost = [&](const std::string& what) {
    return LostProcess(what + "; this ends the job, what is saved is kept", first);
  };
  if (failed) return lost(named(*failed) + ", failed, as it says itself");
  if (gone) return lost(named(*gone) + ", is gone");
  const std::string waited =
      ", kept the others waiting for more than " + std::to_string(timeout_) + " s (SEXTANT_TIMEOUT), or is gone";
  for (int64_t r = 0; r < world_.size && !reachable; ++r) {
    if (p.members[static_cast<std::size_t>(r)].stopped(self)) return lost(named(r) + waited);
  }
  if (!reachable) {
    return lost(named(0) + (p.store.silent() ? ", or a process that it waits for," : ",") + " does not answer");
  }
  // All but a stalled one have noticed by now, or are on their way to where the others wait.
  int64_t behind = -1;
  for (int64_t r = 0; r < world_.size; ++r) {
    if (r == world_.rank) continue;
    bool noticed = true;
    ask([&] { noticed = p.store.check(key("noticed/", r)); });
    if (!noticed && (behind < 0 || last[r].first < last[behind].first)) behind = r;
  }
  if (behind >= 0) return lost(named(behind) + waited);
  return lost("a process on another machine than rank " + std::to_string(world_.rank) + "'s, which is at " + p.where +
              ", is gone (" + cause + ")");
}

}  // namespace sextant::distributed
