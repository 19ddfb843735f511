// The settings that every command takes.
#pragma once

#include <cstdint>
#include <string>

#include "sextant/runtime/device.h"

namespace sextant::commands {

struct RunConfig {
  std::string out = "out";  ///< folder of what is written
  bool overwrite = false;   ///< replace the results of other settings in it
  DeviceChoice device = {};
  Precision precision = Precision::kFp32;  ///< the networks' arithmetic: all but kFp64
  bool deterministic = false;              ///< on a GPU, the same bits in every run
  int64_t threads = 0;                     ///< CPU threads, at most OMP_THREAD_LIMIT; 0 takes every core
  bool quiet = false;                      ///< no progress, only notes and errors
  bool alone = false;                      ///< by this process, even where a launcher started several
};

}  // namespace sextant::commands
