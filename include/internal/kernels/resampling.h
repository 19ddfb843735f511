// How an image changes its size. Alone in a file because the loops that are compiled once per instruction set include
// nothing that has code.
#pragma once

namespace sextant::kernels {

enum class Resampling {
  kKeep,
  kHalve,   ///< means of 2x2 pixels; an odd last row or column is dropped
  kDouble,  ///< every pixel becomes 2x2
};

}  // namespace sextant::kernels
