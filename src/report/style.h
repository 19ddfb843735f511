// What all diagrams look like.
#pragma once

#include "pen.h"

namespace sextant::report {

inline constexpr double kMargin = 14;  ///< around everything

inline constexpr Colour kInk = rgb(0x262626);
inline constexpr Colour kQuietInk = rgb(0x595959);
inline constexpr Colour kGridLine = rgb(0xe2e2e2);

inline constexpr Letters kTitleLetters = {14, true, kInk};
inline constexpr Letters kLabelLetters = {12, false, kInk};
inline constexpr Letters kTickLetters = {11, false, kQuietInk};

/// From a baseline up to the middle of the digits that stand on it.
constexpr double middle_of(const Letters& letters) { return 0.36 * letters.size; }

/// The line of curve number `index`: seven colours that colour-blind readers tell apart (Okabe and Ito) and four ways
/// of dashing, so that 28 curves differ.
Stroke curve_stroke(std::size_t index);

/// The same with the colour of curve number `colour` and the dashes of number `dashes`.
Stroke curve_stroke(std::size_t colour, std::size_t dashes);

}  // namespace sextant::report
