// The words of diffusion's settings, for options and for Python.
#pragma once

#include "internal/runtime/options.h"
#include "sextant/diffusion/process.h"

namespace sextant::diffusion {

inline const Words<Rounding>& rounding_words() {
  static const Words<Rounding> kWords = {{"openai", Rounding::kOpenAi}, {"edm", Rounding::kEdm}};
  return kWords;
}

}  // namespace sextant::diffusion
