// Several processes that are started by hand: flags that say what a launcher says in the environment.
#pragma once

#include <array>
#include <span>
#include <string>

#include "command.h"

namespace sextant::cli {

/// As given; "" where not.
struct ByHand {
  std::string rank, world_size, rendezvous;
};

struct ByHandFlag {
  const char* flag;
  const char* value;
  const char* about;
  std::string ByHand::*field;
};

inline constexpr const char* kByHandTitle = "Several processes, each started by hand";

inline constexpr std::array<ByHandFlag, 3> kByHandFlags = {{
    {"--rank", "R", "Which of them this one is, from 0", &ByHand::rank},
    {"--world-size", "N", "How many there are; torchrun, mpirun and srun say all this themselves", &ByHand::world_size},
    {"--rendezvous", "HOST:PORT", "Where they meet, but for sample and sweep: the machine of rank 0, a free port",
     &ByHand::rendezvous},
}};

/// The flags that the command takes: all, or none where one process does it.
std::span<const ByHandFlag> by_hand_flags(const Command& command);

/// Makes this process the one that the flags say, for distributed::world_of(). Processes that meet at localhost,
/// 127.0.0.1 or ::1 are all on this machine, and share its cores and cards. Nothing where no flag is given. UsageError
/// for one without the others, a value that does not fit, and flags beside a launcher.
void enter_world(const ByHand& given);

}  // namespace sextant::cli
