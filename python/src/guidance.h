// Scores and guides as Python holds them.
#pragma once

#include <mutex>
#include <string>

#include "bindings.h"
#include "sextant/guidance/guide.h"
#include "sextant/guidance/score.h"

namespace sextant::python {

struct NamedScore {
  std::string name;
  std::string settings;  ///< of its terms, as named_score() was given them
  guidance::ScoreFunction function;
};

/// A Python function (f, y, step) -> (S, dS/df).
guidance::ScoreFunction score_of(const Callable& function);

/// A guide steers one trajectory at a time; threads that share one wait for each other.
struct SharedGuide {
  guidance::Guide guide;
  std::recursive_mutex busy = {};  ///< recursive: an observer of a sampling run may ask the guide
};

}  // namespace sextant::python
