// The settings of an evaluation.
#pragma once

#include "sextant/evaluation/evaluate.h"

namespace sextant::evaluation {

/// UsageError for a setting out of its range.
void check(const EvaluateOptions& options);

}  // namespace sextant::evaluation
