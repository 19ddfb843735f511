// Drawings as documents: what cairo makes of them, or an Error in a build without it.
#pragma once

#include <string>

#include "sextant/report/drawing.h"

namespace sextant::report {

/// A document of its own; letters are outlines, so that it looks the same where the font is missing.
std::string svg_document(const Drawing& drawing);

/// One page, without a date.
std::string pdf_document(const Drawing& drawing);

}  // namespace sextant::report
