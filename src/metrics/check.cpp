#include "check.h"

#include "sextant/runtime/error.h"

namespace sextant::metrics {

Tensor checked_rows(const std::string& what, const Tensor& rows) {
  const bool real = rows.defined() && (rows.scalar_type() == at::kFloat || rows.scalar_type() == at::kDouble);
  if (!real || rows.dim() != 2 || rows.size(0) < 1 || rows.size(1) < 1) {
    throw ShapeError(c10::str(what, ": expected [N, D] in float32 or float64 with at least one row, got ",
                              rows.defined() ? c10::str(rows.sizes(), " ", rows.dtype()) : "an undefined tensor"));
  }
  const Tensor wide = rows.detach().to(at::kCPU, at::kDouble).contiguous();
  // A sum is finite only if every term is; it may overflow otherwise, so a bad one is looked at closely.
  if (!std::isfinite(wide.sum().item<double>())) {
    const Tensor bad = at::isfinite(wide).all(1).logical_not().nonzero();
    if (bad.size(0) > 0) {
      throw NumericError(
          c10::str(what, ": row ", bad[0].item<int64_t>(), " (and ", bad.size(0) - 1,
                   " others) holds NaN or infinity; its image or the network that embedded it is broken"));
    }
  }
  return wide;
}

void check_same_width(const char* caller, const Tensor& a, const Tensor& b) {
  if (a.size(1) == b.size(1)) return;
  throw ShapeError(c10::str(caller, ": the two sets have ", a.size(1), " and ", b.size(1),
                            " features per sample; embed both with the same network"));
}

}  // namespace sextant::metrics
