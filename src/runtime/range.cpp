#include "sextant/runtime/range.h"

#include <cmath>

#include "internal/runtime/options.h"
#include "sextant/runtime/error.h"

namespace sextant {

bool Range::contains(double value) const {
  return std::isfinite(value) && value <= high && (above ? value > low : value >= low);
}

std::string Range::text() const {
  if (high == kUnlimited) return above ? "above " + shortest(low) : shortest(low) + " or more";
  return (above ? "above " : "from ") + shortest(low) + " to " + shortest(high);
}

void Range::check(const char* caller, const char* setting, double value) const {
  if (contains(value)) return;
  throw UsageError(std::string(caller) + ": " + setting + " must be a number " + text() + ", got " + shortest(value));
}

}  // namespace sextant
