#include "finite.h"

#include "sextant/runtime/error.h"

namespace sextant::samplers {

void check_finite(FiniteWatch& watch, const char* sampler, const Tensor& x, int64_t step) {
  watch.look(x, [=] {
    const int64_t image = at::isfinite(x).flatten(1).all(1).to(at::kByte).argmin().item<int64_t>();
    throw NumericError(c10::str(sampler, ": image ", image, " of the batch is not finite after step ", step,
                                "; lower the guidance scale, use a higher precision or check the weights"));
  });
}

}  // namespace sextant::samplers
