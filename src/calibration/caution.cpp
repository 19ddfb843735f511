#include "internal/calibration/caution.h"

#include <c10/util/StringUtil.h>

namespace sextant::calibration {

std::string caution_of_bins(int64_t images, int64_t bins) {
  constexpr int64_t kPerBin = 20;
  if (images >= kPerBin * bins) return "";
  return c10::str("ECE: ", images, images == 1 ? " image" : " images", " in ", bins, bins == 1 ? " bin" : " bins",
                  ", too few to tell miscalibration from chance");
}

}  // namespace sextant::calibration
