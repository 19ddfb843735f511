// Squared distances between two sets of points: exact ones where they decide something, bounds everywhere else.
//
// |x - y|^2 = |x|^2 + |y|^2 - 2 x.y with x.y in float32 costs a matrix product and is off by at most a known amount.
// Whoever compares distances decides by the bounds and asks for the exact value of the few pairs that they leave open,
// so the answers are those of float64 at the price of float32.
#pragma once

#include <functional>

#include "internal/kernels/product.h"
#include "sextant/runtime/tensor.h"

namespace sextant::metrics {

/// Where float32 copies of the points are taken: close to their mean, so that vectors are short and bounds tight, and
/// scaled to about one, so that no product overflows or vanishes.
struct Frame {
  Tensor origin;     ///< [D]
  double scale = 1;  ///< a power of two
};

/// A frame for points of both sets, contiguous [N, D] of float32 or float64.
Frame frame_of(const Tensor& x, const Tensor& y);

/// A set of points, prepared for comparison with another in the same frame.
class Points {
 public:
  /// rows [N, D] contiguous, float32 or float64
  Points(const Tensor& rows, const Frame& frame);

  int64_t count() const { return rows_.size(0); }
  int64_t dimensions() const { return rows_.size(1); }
  const Tensor& rows() const { return rows_; }
  const Tensor& framed() const { return framed_; }
  /// The transpose of framed(), as the right side of products.
  const kernels::PackedMatrix& packed() const { return packed_; }
  const double* lengths() const { return lengths_.data_ptr<double>(); }
  double scale() const { return scale_; }

 private:
  Tensor rows_;     ///< [N, D]
  double scale_;    ///< of the frame
  Tensor framed_;   ///< [N, D] float32: (rows - origin) * scale
  Tensor lengths_;  ///< [N] float64: norms of framed_
  kernels::PackedMatrix packed_;
};

/// |x_i - y_j|^2 in float64.
double squared_distance(const Points& x, int64_t i, const Points& y, int64_t j);

/// Bounds of the squared distances of point i of x to every point of y: lower[j] <= |x_i - y_j|^2 <= upper[j].
using RowVisitor = std::function<void(int64_t i, const double* lower, const double* upper)>;

/// A stretch of points.
struct Rows {
  int64_t begin, end;
};

/// Calls `visit` once for each point of x in `rows`, from several threads at once. Memory: 512 rows of distances in
/// float32.
void for_each_row(const Points& x, Rows rows, const Points& y, const RowVisitor& visit);

/// Squared distance of each point in `rows` to its `neighbours`-th nearest other point: [N] float64, exact; 0 for the
/// other points.
Tensor squared_radii(const Points& points, Rows rows, int64_t neighbours);

}  // namespace sextant::metrics
