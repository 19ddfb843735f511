// What the denoisers of Karras et al. 2022 and 2024 (EDM, EDM2) receive.
#include "edm/labels.h"

#include <limits>

#include "sextant/runtime/error.h"

namespace sextant::networks::edm {

void check_input(const char* caller, const Tensor& x, const Tensor& sigma, const std::vector<int64_t>& shape) {
  if (x.dim() != 4 || x.sizes().slice(1) != at::IntArrayRef(shape)) {
    throw ShapeError(
        c10::str(caller, ": expected images [B, ", shape[0], ", ", shape[1], ", ", shape[2], "], got ", x.sizes()));
  }
  if (sigma.numel() != 1 && sigma.numel() != x.size(0)) {
    throw ShapeError(c10::str(caller, ": expected one noise level for all or one for each of ", x.size(0),
                              " images, got sigma ", sigma.sizes()));
  }
  // Asking a GPU would wait for it.
  if (sigma.is_cpu() && !sigma.gt(0).logical_and(sigma.isfinite()).all().item<bool>()) {
    throw ShapeError(c10::str(caller, ": a noise level must be above 0 and finite"));
  }
}

Tensor label_rows(const char* caller, const Tensor& labels, int64_t B, int64_t K, const at::TensorOptions& options) {
  if (K == 0) return {};
  if (!labels.defined()) return at::zeros({1, K}, options);
  const bool ids = !labels.is_floating_point() && labels.dim() <= 1;
  const int64_t rows = ids ? labels.numel() : labels.dim() == 2 && labels.size(1) == K ? labels.size(0) : 0;
  if (rows < 1 || (rows != 1 && rows != B)) {
    throw ShapeError(c10::str(caller, ": expected class ids [", B, "] int64 or rows [", B, ", ", K, "], got ",
                              labels.scalar_type(), " ", labels.sizes()));
  }
  if (!ids) return labels.to(options);
  const Tensor index = labels.to(at::kLong).reshape({-1});
  const Tensor wrong = index.lt(0).logical_or(index.ge(K));
  if (!index.is_cpu()) {
    // Asking a GPU would wait for it. A row of NaN does not go unnoticed either.
    const Tensor rows = index.unsqueeze(1).eq(at::arange(K, index.options())).to(options);
    return rows.masked_fill(wrong.unsqueeze(1), std::numeric_limits<double>::quiet_NaN());
  }
  if (wrong.any().item<bool>()) throw ShapeError(c10::str(caller, ": class ids must lie in [0, ", K, ")"));
  return at::one_hot(index, K).to(options);
}

}  // namespace sextant::networks::edm
