#include "product.h"

#include "micro_kernel.h"
#include "sextant/runtime/error.h"
#include "tasks.h"

namespace sextant::metrics {
namespace {

// A task computes one block of c; a stretch of the packed operands fills about half of a 2 MiB second-level cache.
constexpr int64_t kRowsOfBlock = 336;
constexpr int64_t kColumnsOfBlock = 384;
constexpr int64_t kDepth = 192;

/// Element (i, j) lies at data[i * row + j * column].
template <class T>
struct View {
  const T* data;
  int64_t row, column;
};

/// `lines` lines of depth `depth` as panels [ceil(lines / width)][depth][width], the last one padded with zeros. Line l
/// at depth d is source(l, d).
template <class T>
void pack(View<T> source, int64_t lines, int64_t depth, int64_t width, T* to) {
  for (int64_t first = 0; first < lines; first += width, to += depth * width) {
    const int64_t count = std::min(width, lines - first);
    const T* const from = source.data + first * source.row;
    if (count < width) std::fill(to, to + depth * width, T(0));
    if (source.row == 1) {
      for (int64_t d = 0; d < depth; ++d) std::copy_n(from + d * source.column, count, to + d * width);
    } else {
      for (int64_t line = 0; line < count; ++line) {
        for (int64_t d = 0; d < depth; ++d) to[d * width + line] = from[line * source.row + d * source.column];
      }
    }
  }
}

int64_t round_up(int64_t value, int64_t multiple) { return (value + multiple - 1) / multiple * multiple; }

/// One block of c, with the panels of both operands packed by and for this task alone.
template <class T>
class BlockProduct {
 public:
  BlockProduct(View<T> a, View<T> b, int64_t depth, T factor) : a_(a), b_(b), depth_(depth), factor_(factor) {}

  void add_to(T* c, int64_t c_row, int64_t row, int64_t rows, int64_t column, int64_t columns) const {
    const MicroKernel<T>& kernel = micro_kernel(T{});
    std::vector<T> left(static_cast<size_t>(round_up(rows, kernel.rows) * kDepth));
    std::vector<T> right(static_cast<size_t>(round_up(columns, kernel.columns) * kDepth));
    for (int64_t d = 0; d < depth_; d += kDepth) {
      const int64_t stretch = std::min(kDepth, depth_ - d);
      pack<T>({a_.data + row * a_.row + d * a_.column, a_.row, a_.column}, rows, stretch, kernel.rows, left.data());
      pack<T>({b_.data + column * b_.column + d * b_.row, b_.column, b_.row}, columns, stretch, kernel.columns,
              right.data());
      for (int64_t j = 0; j < columns; j += kernel.columns) {
        for (int64_t i = 0; i < rows; i += kernel.rows) {
          alignas(64) T sums[kMaxTile];
          kernel.run(stretch, left.data() + i * stretch, right.data() + j * stretch, sums);
          add_tile(sums, kernel.columns, c + (row + i) * c_row + column + j, c_row, std::min(kernel.rows, rows - i),
                   std::min(kernel.columns, columns - j));
        }
      }
    }
  }

 private:
  void add_tile(const T* sums, int64_t width, T* c, int64_t c_row, int64_t rows, int64_t columns) const {
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t j = 0; j < columns; ++j) c[i * c_row + j] += factor_ * sums[i * width + j];
    }
  }

  View<T> a_, b_;
  int64_t depth_;
  T factor_;
};

template <class T>
void add_typed(const Tensor& c, const Tensor& a, const Tensor& b, double factor, Part part) {
  const int64_t rows = c.size(0);
  const int64_t columns = c.size(1);
  const BlockProduct<T> block({a.data_ptr<T>(), a.stride(0), a.stride(1)}, {b.data_ptr<T>(), b.stride(0), b.stride(1)},
                              a.size(1), static_cast<T>(factor));
  T* const to = c.data_ptr<T>();
  const int64_t across = (columns + kColumnsOfBlock - 1) / kColumnsOfBlock;
  const int64_t down = (rows + kRowsOfBlock - 1) / kRowsOfBlock;
  for_each_task(across * down, [&](int64_t task) {
    const int64_t row = task / across * kRowsOfBlock;
    const int64_t column = task % across * kColumnsOfBlock;
    const int64_t last_row = std::min(rows, row + kRowsOfBlock) - 1;
    if (part == Part::kLower && column > last_row) return;
    block.add_to(to, c.stride(0), row, last_row + 1 - row, column, std::min(kColumnsOfBlock, columns - column));
  });
}

}  // namespace

void add_product(const Tensor& c, const Tensor& a, const Tensor& b, double factor, Part part) {
  const bool shapes = a.dim() == 2 && b.dim() == 2 && c.dim() == 2 && a.size(1) == b.size(0) &&
                      c.size(0) == a.size(0) && c.size(1) == b.size(1) && (c.stride(1) == 1 || c.size(1) <= 1);
  const at::ScalarType type = c.scalar_type();
  const bool types = a.scalar_type() == type && b.scalar_type() == type && a.is_cpu() && b.is_cpu() && c.is_cpu();
  if (!shapes || !types) {
    throw ShapeError(c10::str("add_product: expected [m, k] times [k, n] into [m, n] of one dtype on the CPU, got ",
                              a.sizes(), " ", a.dtype(), " times ", b.sizes(), " ", b.dtype(), " into ", c.sizes(), " ",
                              c.dtype()));
  }
  if (type == at::kDouble) {
    add_typed<double>(c, a, b, factor, part);
  } else if (type == at::kFloat) {
    add_typed<float>(c, a, b, factor, part);
  } else {
    throw ShapeError(c10::str("add_product: expected float32 or float64, got ", c.dtype()));
  }
}

Tensor product(const Tensor& a, const Tensor& b) {
  const Tensor c = at::zeros({a.size(0), b.size(1)}, a.options());
  add_product(c, a, b);
  return c;
}

Tensor gram(const Tensor& a) {
  const Tensor c = at::zeros({a.size(1), a.size(1)}, a.options());
  add_product(c, a.t(), a, 1, Part::kLower);
  mirror_lower(c);
  return c;
}

void mirror_lower(const Tensor& square) {
  // Not tril() + tril(-1)^T: blocks above the diagonal may hold anything, NaN too.
  square.copy_(at::where(at::ones_like(square, at::kBool).tril(), square, square.t()));
}

}  // namespace sextant::metrics
