// The place where processes of several machines meet, looked at before libtorch goes there.
#pragma once

#include <cstdint>
#include <string>

namespace sextant::distributed {

/// Returns when processes can meet at `host`:`port`. libtorch tries for its whole time-out, with a warning every
/// second; this says in one line what keeps them apart. The process that `serves` needs the port of its machine for
/// itself, the others wait until somebody listens there.
///
/// Error for a port that is taken, for a host whose name nobody knows after a minute (its record may come with the
/// host), and where nobody listens after `timeout` seconds.
void await_meeting_place(const std::string& host, uint16_t port, bool serves, int64_t timeout);

}  // namespace sextant::distributed
