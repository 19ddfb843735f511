#include "finite.h"

#include <cmath>

#include "sextant/runtime/error.h"

namespace sextant::samplers {

void check_finite(const char* sampler, const Tensor& x, int64_t step) {
  // NaN and infinity survive a sum: one number to look at instead of a mask as large as the images.
  if (std::isfinite(x.sum(at::kDouble).item<double>())) return;
  const Tensor finite = at::isfinite(x).flatten(1).all(1);
  if (finite.all().item<bool>()) return;  // it was the sum that overflowed
  const int64_t image = finite.to(at::kByte).argmin().item<int64_t>();
  throw NumericError(c10::str(sampler, ": image ", image, " of the batch is not finite after step ", step,
                              "; lower the guidance scale or use a higher precision"));
}

}  // namespace sextant::samplers
