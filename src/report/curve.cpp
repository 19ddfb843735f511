#include <algorithm>
#include <cmath>
#include <limits>

#include "axis.h"
#include "canvas.h"
#include "internal/runtime/files.h"
#include "sextant/report/curves.h"
#include "sextant/report/report.h"
#include "sextant/runtime/error.h"

namespace sextant::report {
namespace {

constexpr double kLetter = 6.2;  ///< width of a letter in pixels, about

/// The part of the canvas that the axes span.
struct Frame {
  double left, top, right, bottom;
  Axis x, y;

  Point at(double a, double b) const {
    const double high = std::clamp(y.place(b), -0.02, 1.02);  // what is beyond the range ends at the edge
    return {left + x.place(a) * (right - left), bottom - high * (bottom - top)};
  }
};

struct Extent {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  void take(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  bool empty() const { return low > high; }
};

Frame frame_of(const Chart& chart) {
  Extent across;
  Extent up;
  std::size_t longest = 0;
  Axis probe;
  probe.log = chart.log_y;
  for (const Curve& curve : chart.curves) {
    if (curve.x.size() != curve.y.size()) {
      throw ShapeError(c10::str("chart '", chart.title, "': curve '", curve.name, "' has ", curve.x.size(), " x and ",
                                curve.y.size(), " y"));
    }
    longest = std::max(longest, curve.name.size());
    for (std::size_t i = 0; i < curve.x.size(); ++i) {
      if (!std::isfinite(curve.x[i]) || !probe.shows(curve.y[i])) continue;
      across.take(curve.x[i]);
      up.take(curve.y[i]);
    }
  }
  if (across.empty()) across = {0, 1};
  if (up.empty()) up = {0.1, 1};
  if (chart.y) up = {chart.y->first, chart.y->second};
  Frame frame;
  frame.x = linear_axis(across.low, across.high);
  frame.y = chart.log_y ? log_axis(up.low, up.high)
            : chart.y   ? linear_axis(up.low, up.high)
                        : rounded_axis(up.low, up.high);
  std::size_t widest = 0;
  for (const Tick& tick : frame.y.ticks) widest = std::max(widest, tick.label.size());
  frame.left = 30 + kLetter * static_cast<double>(widest);
  frame.top = 30;
  const double legend = longest > 0 ? 34 + kLetter * static_cast<double>(longest) : 18;
  frame.right = std::max(frame.left + 40, static_cast<double>(chart.width) - legend);
  frame.bottom = static_cast<double>(chart.height) - 42;
  return frame;
}

void draw_axes(const Chart& chart, const Frame& frame, Canvas& canvas) {
  for (const Tick& tick : frame.y.ticks) {
    const double y = frame.bottom - frame.y.place(tick.value) * (frame.bottom - frame.top);
    canvas.line({{frame.left, y}, {frame.right, y}}, kGridLine, 1);
    canvas.text({frame.left - 6, y + 4}, tick.label, Anchor::kEnd);
  }
  for (const Tick& tick : frame.x.ticks) {
    const double x = frame.left + frame.x.place(tick.value) * (frame.right - frame.left);
    canvas.line({{x, frame.top}, {x, frame.bottom}}, kGridLine, 1);
    canvas.text({x, frame.bottom + 15}, tick.label, Anchor::kMiddle);
  }
  canvas.line({{frame.left, frame.top}, {frame.left, frame.bottom}, {frame.right, frame.bottom}}, kInk, 1);
  const double middle = (frame.left + frame.right) / 2;
  canvas.text({middle, 18}, chart.title, Anchor::kMiddle);
  canvas.text({middle, static_cast<double>(chart.height) - 8}, chart.x_label, Anchor::kMiddle);
  canvas.text({14, (frame.top + frame.bottom) / 2}, chart.y_label, Anchor::kMiddle, /*upward=*/true);
}

/// The curve in as many pieces as its gaps make.
void draw_curve(const Curve& curve, const Frame& frame, Colour colour, Canvas& canvas) {
  std::vector<Point> piece;
  const auto finish = [&] {
    if (piece.size() > 1) canvas.line(piece, colour, 1.6);
    if (piece.size() == 1 && !curve.marks) canvas.dot(piece[0], 1.6, colour);
    piece.clear();
  };
  for (std::size_t i = 0; i < curve.x.size(); ++i) {
    if (!std::isfinite(curve.x[i]) || !frame.y.shows(curve.y[i])) {
      finish();
      continue;
    }
    piece.push_back(frame.at(curve.x[i], curve.y[i]));
    if (curve.marks) canvas.dot(piece.back(), 2.6, colour);
  }
  finish();
}

void draw(const Chart& chart, Canvas& canvas) {
  const Frame frame = frame_of(chart);
  draw_axes(chart, frame, canvas);
  for (std::size_t c = 0; c < chart.curves.size(); ++c) {
    const Colour colour = curve_colour(c);
    draw_curve(chart.curves[c], frame, colour, canvas);
    if (chart.curves[c].name.empty()) continue;
    const double y = frame.top + 10 + 16 * static_cast<double>(c);
    canvas.line({{frame.right + 8, y - 3}, {frame.right + 22, y - 3}}, colour, 2.4);
    canvas.text({frame.right + 27, y + 1}, chart.curves[c].name, Anchor::kStart);
  }
}

}  // namespace

std::string svg(const Chart& chart) {
  SvgCanvas canvas(chart.width, chart.height);
  draw(chart, canvas);
  return canvas.document();
}

Tensor picture(const Chart& chart) {
  PixelCanvas canvas(chart.width, chart.height);
  draw(chart, canvas);
  return canvas.picture();
}

void write_diagram(const std::filesystem::path& stem, const Chart& chart) {
  write_atomically(stem.string() + ".svg", svg(chart));
  write_png(stem.string() + ".png", picture(chart));
}

}  // namespace sextant::report
