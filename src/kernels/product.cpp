#include "internal/kernels/product.h"

#include <c10/util/StringUtil.h>

#include "images.h"
#include "panels.h"
#include "sextant/runtime/error.h"

namespace sextant::kernels {
namespace {

bool is_matrix(const Tensor& x) {
  return x.dim() == 2 && x.device().is_cpu() && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble);
}

std::string shape_of(const Tensor& x) { return c10::str(x.sizes(), " ", x.dtype()); }

void check(const Tensor& c, const Tensor& a, const PackedMatrix& b) {
  const bool fits = is_matrix(a) && a.scalar_type() == b.dtype() && c.scalar_type() == b.dtype() && c.dim() == 2 &&
                    c.is_contiguous() && a.size(1) == b.rows() && c.size(0) == a.size(0) && c.size(1) <= b.columns();
  if (fits) return;
  throw ShapeError(c10::str("product: expected [m, k] times [k, n] into a contiguous [m, n] of one dtype, got ",
                            shape_of(a), " times [", b.rows(), ", ", b.columns(), "] ", b.dtype(), " into ",
                            shape_of(c)));
}

/// c (+)= a b, for as many columns of b as c has.
template <class T>
void multiply(const Tensor& c, const Tensor& a_any, const PackedMatrix& b, bool add, Part part) {
  const Tensor a = a_any.stride(1) == 1 || a_any.size(1) == 1 ? a_any : a_any.contiguous();
  if (c.numel() == 0) return;
  Gemm<T> job{};
  job.a_stride[0] = a.stride(0);
  job.y = mutable_data<T>(c);
  job.rows = c.size(0);
  job.columns = c.size(1);
  int64_t first = 0;
  for (const Tensor& stretch : b.stretches()) {
    job.a[0] = data<T>(a) + first;
    job.depth[0] = stretch.size(1);
    job.b = data<T>(stretch);
    job.residual = add || first > 0 ? job.y : nullptr;
    run(job, part == Part::kLower);
    first += job.depth[0];
  }
}

void multiply_any(const Tensor& c, const Tensor& a, const PackedMatrix& b, bool add, Part part) {
  check(c, a, b);
  c.scalar_type() == at::kDouble ? multiply<double>(c, a, b, add, part) : multiply<float>(c, a, b, add, part);
}

}  // namespace

PackedMatrix::PackedMatrix(const Tensor& b) {
  if (!is_matrix(b)) {
    throw ShapeError(c10::str("product: expected a matrix of float32 or float64 on the CPU, got ", shape_of(b)));
  }
  rows_ = b.size(0);
  columns_ = b.size(1);
  for (int64_t first = 0; first == 0 || first < rows_; first += kStretch) {
    stretches_.push_back(to_panels(b.slice(0, first, first + kStretch)));
  }
}

Tensor product(const Tensor& a, const PackedMatrix& b, int64_t columns) {
  const Tensor c = at::empty({a.size(0), columns}, a.options());
  multiply_any(c, a, b, false, Part::kAll);
  return c;
}

Tensor product(const Tensor& a, const Tensor& b) { return product(a, PackedMatrix(b), b.size(1)); }

void add_product(const Tensor& c, const Tensor& a, const PackedMatrix& b, Part part) {
  if (c.dim() == 2 && c.size(1) != b.columns()) {
    throw ShapeError(c10::str("product: ", b.columns(), " columns do not fit ", shape_of(c)));
  }
  multiply_any(c, a, b, true, part);
}

Tensor gram(const Tensor& a) {
  const Tensor c = at::zeros({a.size(1), a.size(1)}, a.options());
  add_product(c, a.t(), PackedMatrix(a), Part::kLower);
  mirror_lower(c);
  return c;
}

void mirror_lower(const Tensor& square) {
  // Not tril() + tril(-1)^T: blocks above the diagonal may hold anything, NaN too.
  square.copy_(at::where(at::ones_like(square, at::kBool).tril(), square, square.t()));
}

}  // namespace sextant::kernels
