// By which number of a validation the best weights are chosen.
#pragma once

#include "sextant/training/objectives.h"

namespace sextant::training {

/// The criterion's number among those of a validation.
double number_of(Criterion criterion, const Numbers& numbers);

}  // namespace sextant::training
