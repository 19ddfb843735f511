// Which fused operations compute fused. All do; a measurement may send some of them to their plain twins, to see what
// each is worth.
#pragma once

#include <cstdint>

namespace sextant::kernels {

enum class Fused : uint32_t {
  kNorm,        ///< group norm, modulation, SiLU and resampling in one pass
  kResample,    ///< resampling alone
  kAttention,   ///< attention without its matrix of weights in memory
  kWinograd,    ///< 3x3 convolutions in float32
  kPanels,      ///< 1x1 convolutions in float32
  kPacked,      ///< other convolutions, weights laid out by oneDNN once
  kFrozen,      ///< convolutions and products of frozen weights in oneDNN always
  kLinear,      ///< rows times weights in float32
  kActivation,  ///< softplus or ReLU with the addition before it, in place
};

/// From now on, in the whole process. Not to be called while another thread computes.
void set_fused(Fused operation, bool fused);
bool is_fused(Fused operation);

}  // namespace sextant::kernels
