#include "distances.h"

#include <limits>

#include "product.h"
#include "tasks.h"

namespace sextant::metrics {
namespace {

constexpr int64_t kDistanceRows = 512;  ///< of distances in memory at a time

/// In the frame, |bound - distance| <= error_factor (|x| + |y|)^2 + kVanished. Rounding the coordinates to float32
/// (unit u) moves a distance by at most 2u (|x| + |y|)^2; a dot product of depth D is off by at most D u |x| |y|
/// whatever its order of summation, here by less because it is summed in stretches of at most 256: (256 + D / 64) u |x|
/// |y| covers that, and 2 |x| |y| <= (|x| + |y|)^2 / 2.
double error_factor(int64_t dimensions) {
  const double unit = std::numeric_limits<float>::epsilon() / 2.0;
  const double terms = std::min(static_cast<double>(dimensions), 256.0 + static_cast<double>(dimensions) / 64.0);
  return unit * (4.0 + terms / 2.0);
}

/// What products and coordinates too small for float32 may add up to.
constexpr double kVanished = 1e-37;

}  // namespace

Frame frame_of(const Tensor& x, const Tensor& y) {
  Frame frame;
  frame.origin = x.mean(0) / 2 + y.mean(0) / 2;
  const double reach =
      std::max((x - frame.origin).abs().max().item<double>(), (y - frame.origin).abs().max().item<double>());
  if (reach > 0 && std::isfinite(reach)) frame.scale = std::exp2(-std::ilogb(reach));
  return frame;
}

Points::Points(const Tensor& rows, const Frame& frame)
    : rows_(rows),
      scale_(frame.scale),
      framed_(((rows - frame.origin) * frame.scale).to(at::kFloat)),
      lengths_(framed_.norm(2, {1}, false, at::kDouble)) {}

double squared_distance(const Points& x, int64_t i, const Points& y, int64_t j) {
  const double* const a = x.row(i);
  const double* const b = y.row(j);
  double sum = 0;
  for (int64_t d = 0; d < x.dimensions(); ++d) sum += (a[d] - b[d]) * (a[d] - b[d]);
  return sum;
}

void for_each_row(const Points& x, const Points& y, const RowVisitor& visit) {
  const int64_t n = y.count();
  const double factor = error_factor(x.dimensions());
  const double unframed = 1 / (x.scale() * x.scale());
  for (int64_t first = 0; first < x.count(); first += kDistanceRows) {
    const Tensor dots = product(x.framed().slice(0, first, first + kDistanceRows), y.framed().t());
    for_each_task(dots.size(0), [&](int64_t row) {
      static thread_local std::vector<double> bounds;
      bounds.resize(static_cast<size_t>(2 * n));
      double* const lower = bounds.data();
      double* const upper = lower + n;
      const float* const dot = dots.data_ptr<float>() + row * n;
      const double length = x.lengths()[first + row];
      const double* const lengths = y.lengths();
      for (int64_t j = 0; j < n; ++j) {
        const double together = length + lengths[j];
        const double distance = length * length + lengths[j] * lengths[j] - 2.0 * dot[j];
        const double error = factor * together * together + kVanished;
        lower[j] = (distance - error) * unframed;
        upper[j] = (distance + error) * unframed;
      }
      visit(first + row, lower, upper);
    });
  }
}

Tensor squared_radii(const Points& points, int64_t neighbours) {
  const Tensor radii = at::empty({points.count()}, at::kDouble);
  double* const radius = radii.data_ptr<double>();
  for_each_row(points, points, [&](int64_t i, const double* lower, const double* upper) {
    // The k smallest upper bounds, as a heap with the largest on top: the k-th nearest point is not farther than that.
    std::vector<double> nearest(static_cast<size_t>(neighbours), std::numeric_limits<double>::infinity());
    const auto keep = [&](double value) {
      if (value >= nearest.front()) return;
      std::pop_heap(nearest.begin(), nearest.end());
      nearest.back() = value;
      std::push_heap(nearest.begin(), nearest.end());
    };
    for (int64_t j = 0; j < points.count(); ++j) {
      if (j != i) keep(upper[j]);
    }
    const double farthest = nearest.front();
    std::fill(nearest.begin(), nearest.end(), std::numeric_limits<double>::infinity());
    for (int64_t j = 0; j < points.count(); ++j) {
      if (j != i && lower[j] <= farthest) keep(squared_distance(points, i, points, j));
    }
    radius[i] = nearest.front();
  });
  return radii;
}

}  // namespace sextant::metrics
