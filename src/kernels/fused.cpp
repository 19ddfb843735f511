#include "internal/kernels/fused.h"

#include <atomic>

namespace sextant::kernels {
namespace {

std::atomic<uint32_t> plain{0};  ///< one bit an operation

uint32_t bit(Fused operation) { return 1u << static_cast<uint32_t>(operation); }

}  // namespace

void set_fused(Fused operation, bool fused) { fused ? plain &= ~bit(operation) : plain |= bit(operation); }

bool is_fused(Fused operation) { return !(plain.load(std::memory_order_relaxed) & bit(operation)); }

}  // namespace sextant::kernels
