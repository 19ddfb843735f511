// Processes of this machine.
#pragma once

#include <string>

namespace sextant::distributed {

std::string host();

/// When a process of this machine began, in ticks since its boot: a number that its successor under the same id does
/// not have. Empty where no such process runs.
std::string began(const std::string& process);

/// Whether a signal or a debugger keeps a process of this machine from running.
bool stopped(const std::string& process);

/// One boot of one machine: processes are comparable within it alone. A container has its own name for the host and its
/// own numbers of processes, so both are part of it. Three words.
std::string machine();

}  // namespace sextant::distributed
