#include "blocks.h"

namespace sextant::guidance {
namespace {

// Whole vectors in any block, of no more numbers than ATen leaves to one thread. A row that is longer stands alone.
constexpr int64_t kRows = 32;
constexpr int64_t kLongRow = 1024;

Tensor filled_up(const Tensor& rows, int64_t count) {
  if (rows.size(0) == count) return rows;
  std::vector<int64_t> missing = rows.sizes().vec();
  missing[0] = count - rows.size(0);
  return at::cat({rows, at::zeros(missing, rows.options())});
}

}  // namespace

Score in_blocks(const Tensor& f, const Tensor& y, const std::function<Score(const Tensor& f, const Tensor& y)>& score) {
  const bool rows_with_labels = f.dim() == 2 && y.dim() == 1 && y.size(0) == f.size(0) && f.size(0) > 0;
  if (!rows_with_labels || !f.device().is_cpu()) return score(f, y);  // which says what is wrong
  const int64_t N = f.size(0), rows = f.size(1) <= kLongRow ? kRows : 1;
  std::vector<Tensor> values, gradients;
  for (int64_t first = 0; first < N; first += rows) {
    const int64_t count = std::min(rows, N - first);
    const Score of_block =
        score(filled_up(f.narrow(0, first, count), rows), filled_up(y.narrow(0, first, count), rows));
    values.push_back(of_block.value.narrow(0, 0, count));
    gradients.push_back(of_block.gradient.narrow(0, 0, count));
  }
  return {at::cat(values), at::cat(gradients)};
}

}  // namespace sextant::guidance
