#include "distances.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace sextant::metrics {
namespace {

constexpr int64_t kDistanceRows = 512;  ///< of distances in memory at a time

/// In the frame, |bound - distance| <= error_factor (|x| + |y|)^2 + kVanished. Rounding the coordinates to float32
/// (unit u) moves a distance by at most 2u (|x| + |y|)^2; a dot product of depth D is off by at most D u |x| |y|
/// whatever its order of summation, here by less because it is summed in stretches: (kStretch + D / kStretch + 1) u |x|
/// |y| covers that, and 2 |x| |y| <= (|x| + |y|)^2 / 2.
double error_factor(int64_t dimensions) {
  const double unit = std::numeric_limits<float>::epsilon() / 2.0;
  const auto depth = static_cast<double>(dimensions);
  constexpr double kStretch = kernels::kStretch;
  return unit * (4.0 + std::min(depth, kStretch + depth / kStretch + 1) / 2.0);
}

/// What products and coordinates too small for float32 may add up to.
constexpr double kVanished = 1e-37;

constexpr int64_t kPointsAtOnce = 64;  ///< of points, for one thread

/// `work` with a pointer to the numbers of `rows`, whichever type they have.
template <class Work>
auto with_numbers(const Tensor& rows, const Work& work) {
  return rows.scalar_type() == at::kFloat ? work(rows.data_ptr<float>()) : work(rows.data_ptr<double>());
}

/// The largest distance from the origin along an axis.
double reach_of(const Tensor& rows, const Tensor& origin) {
  const double* const center = origin.data_ptr<double>();
  const int64_t width = rows.size(1);
  return with_numbers(rows, [&](const auto* from) {
    const auto of_rows = [&](int64_t begin, int64_t end, double reach) {
      for (int64_t i = begin; i < end; ++i) {
        for (int64_t d = 0; d < width; ++d) reach = std::max(reach, std::abs(from[i * width + d] - center[d]));
      }
      return reach;
    };
    return at::parallel_reduce(0, rows.size(0), kPointsAtOnce, 0.0, of_rows,
                               [](double a, double b) { return std::max(a, b); });
  });
}

/// to (rows - origin) * scale; returns their norms.
Tensor frame(const Tensor& to, const Tensor& rows, const Frame& frame) {
  const Tensor lengths = at::empty({rows.size(0)}, at::kDouble);
  const double* const center = frame.origin.data_ptr<double>();
  const int64_t width = rows.size(1);
  with_numbers(rows, [&](const auto* from) {
    at::parallel_for(0, rows.size(0), kPointsAtOnce, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        float* const row = to.data_ptr<float>() + i * width;
        double sum = 0;
        for (int64_t d = 0; d < width; ++d) {
          row[d] = static_cast<float>((from[i * width + d] - center[d]) * frame.scale);
          sum += static_cast<double>(row[d]) * row[d];
        }
        lengths.data_ptr<double>()[i] = std::sqrt(sum);
      }
    });
  });
  return lengths;
}

}  // namespace

Frame frame_of(const Tensor& x, const Tensor& y) {
  Frame frame;
  // Any origin will do; that of a part of many points is near enough.
  constexpr int64_t kEnough = 1000;
  const auto center = [kEnough](const Tensor& rows) { return rows.slice(0, 0, kEnough).to(at::kDouble).mean(0); };
  frame.origin = center(x) / 2 + center(y) / 2;
  const double reach = std::max(reach_of(x, frame.origin), reach_of(y, frame.origin));
  if (reach > 0 && std::isfinite(reach)) frame.scale = std::exp2(-std::ilogb(reach));
  return frame;
}

Points::Points(const Tensor& rows, const Frame& frame)
    : rows_(rows),
      scale_(frame.scale),
      framed_(at::empty(rows.sizes(), at::kFloat)),
      lengths_(metrics::frame(framed_, rows, frame)),
      packed_(framed_.t()) {}

double squared_distance(const Points& x, int64_t i, const Points& y, int64_t j) {
  const int64_t width = x.dimensions();
  return with_numbers(x.rows(), [&](const auto* x_rows) {
    return with_numbers(y.rows(), [&](const auto* y_rows) {
      double sum = 0;
      for (int64_t d = 0; d < width; ++d) {
        const double difference = static_cast<double>(x_rows[i * width + d]) - y_rows[j * width + d];
        sum += difference * difference;
      }
      return sum;
    });
  });
}

namespace {

/// Bounds of squared distances from dot products in float32.
class Bounds {
 public:
  Bounds(const Points& x, const Points& y)
      : x_(x.lengths()),
        y_(y.lengths()),
        factor_(error_factor(x.dimensions())),
        unframed_(1 / (x.scale() * x.scale())) {}

  struct Pair {
    double lower, upper;
  };
  Pair operator()(int64_t i, int64_t j, float dot) const {
    const double together = x_[i] + y_[j];
    const double distance = x_[i] * x_[i] + y_[j] * y_[j] - 2.0 * dot;
    const double error = factor_ * together * together + kVanished;
    return {(distance - error) * unframed_, (distance + error) * unframed_};
  }

 private:
  const double* x_;
  const double* y_;
  double factor_, unframed_;
};

/// The few points with the smallest lower bounds of their distance to one point.
class Nearest {
 public:
  explicit Nearest(int64_t count) : kept_(static_cast<size_t>(count), {kInfinity, kInfinity, -1}) {}

  void offer(int64_t index, Bounds::Pair bounds) {
    if (bounds.lower >= kept_.front().lower) return;
    std::pop_heap(kept_.begin(), kept_.end());
    kept_.back() = {bounds.lower, bounds.upper, index};
    std::push_heap(kept_.begin(), kept_.end());
  }

  /// Squared distance to the `neighbours`-th nearest of all points offered, which are those of `points` but i.
  double radius(const Points& points, int64_t i, int64_t neighbours) const {
    std::vector<double> distances;
    for (const Point& point : kept_) distances.push_back(point.upper);
    // No more than `neighbours` points lie closer than that.
    const double farthest = smallest(distances, neighbours);
    distances.clear();
    if (kept_.front().lower > farthest) {
      for (const Point& point : kept_) {
        if (point.lower <= farthest) distances.push_back(squared_distance(points, i, points, point.index));
      }
    } else {  // more points are as near as can be told than were kept
      for (int64_t j = 0; j < points.count(); ++j) {
        if (j != i) distances.push_back(squared_distance(points, i, points, j));
      }
    }
    return smallest(distances, neighbours);
  }

 private:
  static constexpr double kInfinity = std::numeric_limits<double>::infinity();

  struct Point {
    double lower, upper;
    int64_t index;
    bool operator<(const Point& other) const { return lower < other.lower; }
  };

  static double smallest(std::vector<double>& values, int64_t rank) {
    const auto place = values.begin() + rank - 1;
    std::nth_element(values.begin(), place, values.end());
    return *place;
  }

  std::vector<Point> kept_;  ///< a heap, the largest lower bound on top
};

constexpr int64_t kColumnsAtOnce = 64;  ///< of distances, for one thread

}  // namespace

void for_each_row(const Points& x, Rows rows, const Points& y, const RowVisitor& visit) {
  const int64_t n = y.count();
  const Bounds bounds(x, y);
  for (int64_t first = rows.begin; first < rows.end; first += kDistanceRows) {
    const int64_t last = std::min(rows.end, first + kDistanceRows);
    const Tensor dots = kernels::product(x.framed().slice(0, first, last), y.packed(), n);
    at::parallel_for(0, dots.size(0), 1, [&](int64_t begin, int64_t end) {
      std::vector<double> lower(static_cast<size_t>(n)), upper(static_cast<size_t>(n));
      for (int64_t row = begin; row < end; ++row) {
        const float* const dot = dots.data_ptr<float>() + row * n;
        for (int64_t j = 0; j < n; ++j) {
          const Bounds::Pair pair = bounds(first + row, j, dot[j]);
          lower[j] = pair.lower;
          upper[j] = pair.upper;
        }
        visit(first + row, lower.data(), upper.data());
      }
    });
  }
}

namespace {

constexpr int64_t kSpare = 8;  ///< points kept beyond the neighbours, for bounds that overlap

/// The radii of some points, from a row of distances for each.
Tensor radii_of(const Points& points, Rows rows, int64_t neighbours) {
  const Tensor radii = at::zeros({points.count()}, at::kDouble);
  for_each_row(points, rows, points,
               [&, to = radii.data_ptr<double>()](int64_t i, const double* lower, const double* upper) {
                 Nearest nearest(neighbours + kSpare);
                 for (int64_t j = 0; j < points.count(); ++j) {
                   if (j != i) nearest.offer(j, {lower[j], upper[j]});
                 }
                 to[i] = nearest.radius(points, i, neighbours);
               });
  return radii;
}

}  // namespace

Tensor squared_radii(const Points& points, Rows rows, int64_t neighbours) {
  const int64_t count = points.count();
  if (rows.end - rows.begin < count) return radii_of(points, rows, neighbours);
  const Bounds bounds(points, points);
  std::vector<Nearest> nearest(static_cast<size_t>(count), Nearest(neighbours + kSpare));
  for (int64_t first = 0; first < count; first += kDistanceRows) {
    // Distances are symmetric: of every row those up to the diagonal, once for either point.
    const int64_t last = std::min(count, first + kDistanceRows);
    const Tensor dots = kernels::product(points.framed().slice(0, first, last), points.packed(), last);
    const auto row = [&, from = dots.data_ptr<float>()](int64_t i) { return from + (i - first) * last; };
    at::parallel_for(first, last, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        for (int64_t j = 0; j < i; ++j) nearest[i].offer(j, bounds(i, j, row(i)[j]));
      }
    });
    at::parallel_for(0, last, kColumnsAtOnce, [&](int64_t begin, int64_t end) {
      for (int64_t column = begin; column < end; column += kColumnsAtOnce) {
        const int64_t stop = std::min(end, column + kColumnsAtOnce);
        for (int64_t i = std::max(first, column + 1); i < last; ++i) {
          for (int64_t j = column; j < std::min(stop, i); ++j) nearest[j].offer(i, bounds(i, j, row(i)[j]));
        }
      }
    });
  }
  const Tensor radii = at::empty({count}, at::kDouble);
  at::parallel_for(0, count, 1, [&, to = radii.data_ptr<double>()](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) to[i] = nearest[i].radius(points, i, neighbours);
  });
  return radii;
}

}  // namespace sextant::metrics
