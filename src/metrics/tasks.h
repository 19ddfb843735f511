// Independent pieces of work dealt to threads.
#pragma once

#include <cstdint>
#include <functional>

namespace sextant::metrics {

/// Runs task(0) ... task(count - 1), each once, on as many threads as libtorch uses within one operation. The first
/// exception of a task is thrown again here, after all threads have ended. (at::parallel_for is serial in code that is
/// compiled without OpenMP, and deals equal ranges; these tasks differ in size.)
void for_each_task(int64_t count, const std::function<void(int64_t)>& task);

}  // namespace sextant::metrics
