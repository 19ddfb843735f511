// What every score refuses, in one place. `caller` names the function in the message.
#pragma once

#include "sextant/guidance/score.h"

namespace sextant::guidance {

/// ShapeError unless f is [N, K], K >= 2, float32 or float64.
void check_logits(const char* caller, const Tensor& f);

/// ShapeError unless every label is in [0, classes). Waits for a GPU.
void check_label_range(const char* caller, const Tensor& y, int64_t classes);

/// check_logits(), and ShapeError unless y is [N] int64 on f's device. The range of labels only where reading them is
/// free, on a CPU; elsewhere libtorch's indexing asserts it.
void check_logits_and_labels(const char* caller, const Tensor& f, const Tensor& y);

/// UsageError unless both are in their ranges.
void check_temperatures(const char* caller, Temperatures tau);

/// UsageError unless alpha and epsilon are in their ranges.
void check_divergence(const char* caller, const Divergence& divergence);

/// The smallest normal number of f's dtype.
double smallest_normal(const Tensor& f);

}  // namespace sextant::guidance
