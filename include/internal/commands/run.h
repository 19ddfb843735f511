// The settings that every command takes.
#pragma once

#include <cstdint>
#include <string>

#include "sextant/runtime/tensor.h"

namespace sextant::commands {

struct RunConfig {
  std::string out = "out";                ///< folder of what is written
  bool overwrite = false;                 ///< replace the results of other settings in it
  std::string device = "cpu";             ///< "cpu", "cuda" or "cuda:INDEX"
  at::ScalarType precision = at::kFloat;  ///< the networks' arithmetic: kFloat, kBFloat16 or kHalf
  int64_t threads = 0;                    ///< CPU threads; 0 takes every core
  bool quiet = false;                     ///< no progress, only notes and errors
};

}  // namespace sextant::commands
