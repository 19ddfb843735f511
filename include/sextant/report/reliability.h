// Reliability diagrams.
#pragma once

#include <string>

#include "sextant/calibration/measures.h"
#include "sextant/report/drawing.h"

namespace sextant::report {

/// Accuracy over confidence: a bar a bin, its gap to the diagonal shaded, and the share of the samples below.
struct Reliability {
  std::string title;
  calibration::Bins bins;
};

Drawing draw(const Reliability& diagram);

}  // namespace sextant::report
