#include "picture.h"
#include "sextant/report/report.h"
#include "sextant/runtime/error.h"

namespace sextant::report {
namespace {

constexpr int64_t kGap = 8;  ///< pixels between cells and around captions

void paste(Tensor& canvas, const Tensor& picture, int64_t top, int64_t left) {
  canvas.narrow(0, top, picture.size(0))
      .narrow(1, left, picture.size(1))
      .copy_(picture.expand({-1, -1, canvas.size(2)}));
}

/// Where each of `sizes` begins when they follow one another from `start`; the last entry is the end.
std::vector<int64_t> offsets(int64_t start, const std::vector<int64_t>& sizes) {
  std::vector<int64_t> places = {start};
  for (const int64_t size : sizes) places.push_back(places.back() + size + kGap);
  return places;
}

std::vector<Tensor> captions(const std::vector<std::string>& lines, int64_t scale) {
  std::vector<Tensor> pictures;
  for (const std::string& line : lines) pictures.push_back(text(line, scale));
  return pictures;
}

int64_t widest(const std::vector<Tensor>& pictures) {
  int64_t width = 0;
  for (const Tensor& picture : pictures) width = std::max(width, picture.size(1));
  return width;
}

}  // namespace

Tensor board(const Board& board) {
  const std::vector<Tensor> above = captions(board.columns, board.text_scale);
  const std::vector<Tensor> beside = captions(board.rows, board.text_scale);
  std::vector<int64_t> heights(std::max(board.cells.size(), beside.size()), 7 * board.text_scale);
  std::vector<int64_t> widths;
  for (const Tensor& caption : above) widths.push_back(caption.size(1));
  int64_t channels = 1;
  for (std::size_t row = 0; row < board.cells.size(); ++row) {
    widths.resize(std::max(widths.size(), board.cells[row].size()));
    for (std::size_t column = 0; column < board.cells[row].size(); ++column) {
      const Tensor& cell = board.cells[row][column];
      if (!cell.defined()) continue;
      check_picture("board", cell);
      heights[row] = std::max(heights[row], cell.size(0));
      widths[column] = std::max(widths[column], cell.size(1));
      channels = std::max(channels, cell.size(2));
    }
  }
  const int64_t line = 7 * board.text_scale + kGap;
  const Tensor title = text(board.title, board.text_scale + 1);
  const int64_t title_height = board.title.empty() ? 0 : title.size(0) + kGap;
  const auto tops = offsets(kGap + title_height + (above.empty() ? 0 : line), heights);
  const auto lefts = offsets(kGap + (beside.empty() ? 0 : widest(beside) + kGap), widths);

  const int64_t width = std::max(lefts.back(), board.title.empty() ? 0 : title.size(1) + 2 * kGap);
  Tensor canvas = at::full({tops.back(), width, channels}, 255, at::kByte);
  if (!board.title.empty()) paste(canvas, title, kGap, kGap);
  for (std::size_t column = 0; column < above.size(); ++column)
    paste(canvas, above[column], kGap + title_height, lefts[column]);
  for (std::size_t row = 0; row < beside.size(); ++row) {
    paste(canvas, beside[row], tops[row] + (heights[row] - beside[row].size(0)) / 2, kGap);
  }
  for (std::size_t row = 0; row < board.cells.size(); ++row) {
    for (std::size_t column = 0; column < board.cells[row].size(); ++column) {
      const Tensor& cell = board.cells[row][column];
      if (cell.defined()) paste(canvas, cell, tops[row], lefts[column]);
    }
  }
  return canvas;
}

}  // namespace sextant::report
