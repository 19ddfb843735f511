// Rows of logits a block at a time.
#pragma once

#include <functional>

#include "sextant/guidance/score.h"

namespace sextant::guidance {

/// score(f, y) of f [N, K] and y [N], computed in blocks of one size, the last one filled up with zeros: what ATen's
/// vector loops give a row depends on where it stands in memory and on how many rows there are, and a sample's score
/// must not. On a CPU; elsewhere all rows at once. `score` must treat each row by itself.
Score in_blocks(const Tensor& f, const Tensor& y, const std::function<Score(const Tensor& f, const Tensor& y)>& score);

}  // namespace sextant::guidance
