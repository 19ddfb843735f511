// What calibration errors of few images do not tell.
#pragma once

#include <cstdint>
#include <string>

namespace sextant::calibration {

/// A line where `images` are fewer than twenty for each of `bins`, so that a perfect classifier would not measure 0
/// either; "" where there are more.
std::string caution_of_bins(int64_t images, int64_t bins);

}  // namespace sextant::calibration
