#include <algorithm>
#include <cmath>

#include "picture.h"
#include "sextant/report/drawing.h"
#include "style.h"

namespace sextant::report {
namespace {

/// Sizes in pixels of the cells.
struct MontageLayout {
  Letters title, caption;
  std::vector<std::string> columns, rows;  ///< as much of the captions as there is room for
  std::vector<double> lefts, tops;         ///< where columns and rows begin; the last entry is the end
  double beside = 0;                       ///< width of the captions of rows
  double gap = 0;                          ///< between cells
  double above = 0;                        ///< baseline of the captions of columns
};

/// Where each of `sizes` begins when they follow one another from `start`; the last entry is the end.
std::vector<double> offsets(double start, const std::vector<double>& sizes, double gap) {
  std::vector<double> places = {start};
  for (const double size : sizes) places.push_back(places.back() + size + gap);
  return places;
}

/// Captions, each with its value behind it if there is one: what is too long for the room loses of its caption.
std::vector<std::string> shortened(const std::vector<std::string>& captions, const std::vector<std::string>& values,
                                   const Letters& letters, double room) {
  std::vector<std::string> fit;
  for (std::size_t i = 0; i < captions.size(); ++i) {
    const std::string value = i < values.size() && !values[i].empty() ? "   " + values[i] : "";
    fit.push_back(fitted(captions[i], letters, room - text_width(value, letters)) + value);
  }
  return fit;
}

MontageLayout laid_out(const Montage& montage) {
  MontageLayout layout;
  const double letters = montage.letters;
  layout.caption = {letters, false, kInk};
  layout.title = {1.3 * letters, true, kInk};
  layout.gap = std::round(letters / 2);
  layout.columns = shortened(montage.columns, {}, layout.caption, 20 * letters);
  layout.rows = shortened(montage.rows, montage.values, layout.caption, 26 * letters);
  std::vector<double> heights(std::max(montage.cells.size(), montage.rows.size()), std::ceil(1.2 * letters));
  std::vector<double> widths;
  for (const std::string& caption : layout.columns) widths.push_back(std::ceil(text_width(caption, layout.caption)));
  for (const std::string& caption : layout.rows) {
    layout.beside = std::max(layout.beside, std::ceil(text_width(caption, layout.caption)));
  }
  for (std::size_t row = 0; row < montage.cells.size(); ++row) {
    widths.resize(std::max(widths.size(), montage.cells[row].size()));
    for (std::size_t column = 0; column < montage.cells[row].size(); ++column) {
      const Tensor& cell = montage.cells[row][column];
      if (!cell.defined()) continue;
      check_picture("montage", cell);
      heights[row] = std::max(heights[row], static_cast<double>(cell.size(0)));
      widths[column] = std::max(widths[column], static_cast<double>(cell.size(1)));
    }
  }
  const double line = std::round(1.4 * letters);
  const double title = montage.title.empty() ? 0 : std::round(2 * letters);
  const bool any_above = std::any_of(layout.columns.begin(), layout.columns.end(), [](auto& c) { return !c.empty(); });
  layout.above = std::round(layout.gap + title + letters);
  layout.tops = offsets(layout.gap + title + (any_above ? line : 0), heights, layout.gap);
  layout.lefts = offsets(layout.gap + (layout.beside > 0 ? layout.beside + layout.gap : 0), widths, layout.gap);
  return layout;
}

void paint_montage(const Montage& montage, const MontageLayout& layout, double width, Pen& pen) {
  pen.text({layout.gap, layout.gap + layout.title.size}, fitted(montage.title, layout.title, width - 2 * layout.gap),
           layout.title, Anchor::kStart);
  for (std::size_t column = 0; column < layout.columns.size(); ++column) {
    pen.text({layout.lefts[column], layout.above}, layout.columns[column], layout.caption, Anchor::kStart);
  }
  for (std::size_t row = 0; row < layout.rows.size(); ++row) {
    const double middle = (layout.tops[row] + layout.tops[row + 1] - layout.gap) / 2;
    pen.text({layout.gap + layout.beside, middle + middle_of(layout.caption)}, layout.rows[row], layout.caption,
             Anchor::kEnd);
  }
  for (std::size_t row = 0; row < montage.cells.size(); ++row) {
    for (std::size_t column = 0; column < montage.cells[row].size(); ++column) {
      const Tensor& cell = montage.cells[row][column];
      if (cell.defined()) pen.image({layout.lefts[column], layout.tops[row]}, cell);
    }
  }
}

}  // namespace

Drawing draw(const Montage& montage) {
  const MontageLayout layout = laid_out(montage);
  // A title may be longer than the pictures, within reason.
  const double title = std::min(text_width(montage.title, layout.title), 40 * montage.letters);
  const double width = std::max(layout.lefts.back(), std::ceil(title) + 2 * layout.gap);
  return {width, std::max(layout.tops.back(), layout.gap), 1,
          [montage, layout, width](Pen& pen) { paint_montage(montage, layout, width, pen); }};
}

}  // namespace sextant::report
