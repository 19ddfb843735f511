#include "cautions.h"

#include <c10/util/StringUtil.h>

#include <algorithm>

namespace sextant::evaluation {

std::string caution_of_distance(const std::string& metric, int64_t samples, int64_t reference, int64_t dimensions) {
  const bool few_samples = samples <= dimensions, few_references = reference > 0 && reference <= dimensions;
  if (!few_samples && !few_references) return "";
  const std::string which = few_samples && few_references ? c10::str(samples, " samples and ", reference, " references")
                            : few_samples                 ? c10::str(samples, " samples")
                                                          : c10::str(reference, " references");
  return c10::str(which, " span less than ", dimensions, " dimensions: compare ", metric,
                  " only with those of as many images");
}

std::string caution_of_inception(const std::vector<int64_t>& parts, int64_t classes) {
  const int64_t smallest = *std::min_element(parts.begin(), parts.end());
  const int64_t largest = *std::max_element(parts.begin(), parts.end());
  if (largest == 1)
    return c10::str("Inception Score: each of ", parts.size(),
                    " parts is one image, whose score is 1 whatever it shows");
  if (smallest <= classes) {
    return c10::str("Inception Score: a part of ", smallest, smallest == 1 ? " image" : " images",
                    " cannot score above ", smallest, ", and there are ", classes, " classes: take more images");
  }
  constexpr int64_t kUneven = 2;
  if (kUneven * smallest < largest) {
    return c10::str("Inception Score: the last of ", parts.size(), " parts has ", smallest, " images, the others ",
                    largest, ", and counts as much: take a multiple of ", largest);
  }
  return "";
}

std::string caution_of_neighbours(const std::string& metrics, int64_t samples, int64_t reference, int64_t neighbours) {
  constexpr int64_t kFew = 1000;
  const int64_t fewer = std::min(samples, reference);
  if (fewer <= 2 * neighbours) {
    return c10::str(metrics, ": ", fewer, " images have their ", neighbours,
                    " nearest neighbours nearly everywhere; take more");
  }
  if (fewer >= kFew) return "";
  return c10::str(metrics, ": compare only with those of ", samples, " samples and ", reference,
                  " references, because neighbours of few lie farther apart");
}

}  // namespace sextant::evaluation
