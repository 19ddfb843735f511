// Which attributes are asked for.
#pragma once

#include "sextant/guidance/classifier.h"
#include "sextant/runtime/tensor.h"

namespace sextant::classifiers {

/// The classifier whose logits [N, K] are positive where an attribute is as asked: those of `classifier` times
/// answers, [R, K] of 1 (yes), -1 (no) and 0 (of no concern, whose logit is 0). Image i asks for row i, in turn where
/// there are fewer; without ids the rows of the batch are counted. ShapeError for answers of another form.
guidance::Classifier asked(guidance::Classifier classifier, const Tensor& answers);

}  // namespace sextant::classifiers
