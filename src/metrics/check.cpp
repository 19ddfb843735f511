#include "check.h"

#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>

#include <atomic>
#include <cmath>
#include <numeric>

#include "sextant/runtime/error.h"

namespace sextant::metrics {

namespace {

constexpr int64_t kCheckedAtOnce = 64;  ///< for one thread

/// Whether the sum of each row is finite, as it is only if every term is; one may overflow otherwise.
bool sums_are_finite(const Tensor& rows) {
  std::atomic<bool> finite = true;
  AT_DISPATCH_FLOATING_TYPES(rows.scalar_type(), "checked_rows", [&] {
    at::parallel_for(0, rows.size(0), kCheckedAtOnce, [&, width = rows.size(1)](int64_t begin, int64_t end) {
      const scalar_t* const from = rows.data_ptr<scalar_t>();
      if (!std::isfinite(std::accumulate(from + begin * width, from + end * width, 0.0))) finite = false;
    });
  });
  return finite;
}

}  // namespace

Tensor checked_rows_as_given(const std::string& what, const Tensor& rows) {
  const bool real = rows.defined() && (rows.scalar_type() == at::kFloat || rows.scalar_type() == at::kDouble);
  if (!real || rows.dim() != 2 || rows.size(0) < 1 || rows.size(1) < 1) {
    throw ShapeError(c10::str(what, ": expected [N, D] in float32 or float64 with at least one row, got ",
                              rows.defined() ? c10::str(rows.sizes(), " ", rows.dtype()) : "an undefined tensor"));
  }
  const Tensor here = rows.detach().to(at::kCPU).contiguous();
  if (!sums_are_finite(here)) {
    const Tensor bad = at::isfinite(here).all(1).logical_not().nonzero();
    if (bad.size(0) > 0) {
      throw NumericError(
          c10::str(what, ": row ", bad[0].item<int64_t>(), " (and ", bad.size(0) - 1,
                   " others) holds NaN or infinity; its image or the network that embedded it is broken"));
    }
  }
  return here;
}

Tensor checked_rows(const std::string& what, const Tensor& rows) {
  return checked_rows_as_given(what, rows).to(at::kDouble);
}

Tensor checked_indices(const std::string& what, const Tensor& indices, int64_t count) {
  if (!at::isIntegralType(indices.scalar_type(), /*includeBool=*/false)) {
    throw ShapeError(c10::str(what, ": expected integers, got ", indices.scalar_type()));
  }
  const Tensor here = indices.detach().to(at::kCPU, at::kLong);
  const Tensor outside = here.masked_select(here.lt(0).logical_or(here.ge(count)));
  if (outside.numel() == 0) return here;
  throw UsageError(c10::str(what, ": expected 0 to ", count - 1, ", got ", outside[0].item<int64_t>()));
}

void check_same_width(const char* caller, const Tensor& a, const Tensor& b) {
  if (a.size(1) == b.size(1)) return;
  throw ShapeError(c10::str(caller, ": the two sets have ", a.size(1), " and ", b.size(1),
                            " features per sample; embed both with the same network"));
}

}  // namespace sextant::metrics
