#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "axis.h"
#include "sextant/report/drawing.h"
#include "sextant/runtime/error.h"
#include "style.h"

namespace sextant::report {
namespace {

constexpr double kWidth = 520, kHeight = 320;  ///< of the area that the axes span
constexpr double kLegendGap = 12, kSample = 26, kNameGap = 6, kLegendLine = 18, kLongestName = 340;

/// Where everything of a chart is.
struct ChartLayout {
  double left, top, right, bottom;
  double width, height;
  Axis x, y;

  Point at(double a, double b) const {
    // What is beyond the range is cut off; far beyond, cairo's numbers end.
    const auto near = [](double place) { return std::clamp(place, -9.0, 10.0); };
    return {left + near(x.place(a)) * (right - left), bottom - near(y.place(b)) * (bottom - top)};
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

bool has_arrows(const Curve& curve) { return !curve.to_x.empty() || !curve.to_y.empty(); }

bool has_band(const Curve& curve) { return !curve.low.empty() || !curve.high.empty(); }

void check_lengths(const Chart& chart) {
  for (const Curve& curve : chart.curves) {
    const auto refuse = [&](std::size_t count, const char* what) {
      throw ShapeError(
          c10::str("chart '", chart.title, "': curve '", curve.name, "' has ", curve.x.size(), " x and ", count, what));
    };
    if (curve.y.size() != curve.x.size()) refuse(curve.y.size(), " y");
    if (has_arrows(curve) && curve.to_x.size() != curve.x.size()) refuse(curve.to_x.size(), " arrows in x");
    if (has_arrows(curve) && curve.to_y.size() != curve.x.size()) refuse(curve.to_y.size(), " arrows in y");
    if (!has_band(curve)) continue;
    if (curve.low.size() != curve.x.size()) refuse(curve.low.size(), " low");
    if (curve.high.size() != curve.x.size()) refuse(curve.high.size(), " high");
  }
}

void choose_axes(const Chart& chart, ChartLayout& layout) {
  Extent across, up;
  Axis along, probe;
  along.log = chart.log_x;
  probe.log = chart.log_y;
  for (const Curve& curve : chart.curves) {
    for (std::size_t i = 0; i < curve.x.size(); ++i) {
      if (!along.shows(curve.x[i]) || !probe.shows(curve.y[i])) continue;
      across.take(curve.x[i]);
      up.take(curve.y[i]);
      if (has_arrows(curve) && along.shows(curve.to_x[i]) && probe.shows(curve.to_y[i])) {
        across.take(curve.to_x[i]);
        up.take(curve.to_y[i]);
      }
      if (!has_band(curve)) continue;
      for (const double edge : {curve.low[i], curve.high[i]}) {
        if (probe.shows(edge)) up.take(edge);
      }
    }
  }
  if (across.empty()) across = chart.log_x ? Extent{0.1, 1} : Extent{0, 1};
  if (up.empty()) up = chart.log_y ? Extent{0.1, 1} : Extent{0, 1};
  if (chart.y) up = {chart.y->first, chart.y->second};
  if (chart.x) across = {chart.x->first, chart.x->second};
  if (chart.equal) {
    const double half = std::max(across.high - across.low, up.high - up.low) / 2;
    for (Extent* side : {&across, &up}) {
      const double middle = (side->low + side->high) / 2;
      *side = {middle - half, middle + half};
    }
  }
  const double room = 0.02 * (across.high - across.low);  // marks at the ends do not touch the axis
  layout.x = chart.log_x   ? log_axis(across.low, across.high)
             : chart.equal ? linear_axis(across.low, across.high)
                           : linear_axis(across.low - room, across.high + room);
  layout.x.falls = chart.x_falls;
  layout.y = chart.log_y              ? log_axis(up.low, up.high)
             : chart.y || chart.equal ? linear_axis(up.low, up.high)
                                      : rounded_axis(up.low, up.high);
}

/// Lines of one unit are sharp at whole and half units of a picture with two pixels a unit.
double sharp(double place) { return std::round(2 * place) / 2; }

double widest_label(const Axis& axis) {
  double widest = 0;
  for (const Tick& tick : axis.ticks) widest = std::max(widest, text_width(tick.label, kTickLetters));
  return widest;
}

ChartLayout laid_out(const Chart& chart) {
  ChartLayout layout;
  choose_axes(chart, layout);
  double names = 0;
  std::size_t named = 0;
  for (const Curve& curve : chart.curves) {
    if (curve.name.empty()) continue;
    ++named;
    names = std::max(names, text_width(fitted(curve.name, kLabelLetters, kLongestName), kLabelLetters));
  }
  layout.left = kMargin + (chart.y_label.empty() ? 0 : 20) + std::ceil(widest_label(layout.y)) + 8;
  layout.top = chart.title.empty() ? kMargin + 4 : kMargin + 30;
  layout.right = layout.left + (chart.equal ? kHeight : kWidth);
  layout.bottom = layout.top + std::max(kHeight, kLegendLine * static_cast<double>(named));
  const double beyond = widest_label(layout.x) / 2;  // of a tick at the very end
  layout.width = std::ceil(layout.right + kMargin +
                           (named > 0 ? std::max(beyond, kLegendGap + kSample + kNameGap + names) : beyond));
  layout.height = std::ceil(layout.bottom + 20 + (chart.x_label.empty() ? 0 : 20) + kMargin);
  return layout;
}

/// Every so manieth tick of x has a label, so that none touches the next.
std::size_t label_stride(const ChartLayout& layout) {
  if (layout.x.ticks.size() < 2) return 1;
  const double step = layout.x.place(layout.x.ticks[1].value) - layout.x.place(layout.x.ticks[0].value);
  return static_cast<std::size_t>(
      std::ceil((widest_label(layout.x) + 8) / (std::abs(step) * (layout.right - layout.left))));
}

void draw_grid(const ChartLayout& layout, Pen& pen) {
  for (const Tick& tick : layout.y.ticks) {
    const double y = sharp(layout.bottom - layout.y.place(tick.value) * (layout.bottom - layout.top));
    pen.line({{layout.left, y}, {layout.right, y}}, {kGridLine});
    pen.text({layout.left - 8, y + middle_of(kTickLetters)}, tick.label, kTickLetters, Anchor::kEnd);
  }
  const std::size_t stride = label_stride(layout);
  for (std::size_t i = 0; i < layout.x.ticks.size(); ++i) {
    const Tick& tick = layout.x.ticks[i];
    const double x = sharp(layout.left + layout.x.place(tick.value) * (layout.right - layout.left));
    pen.line({{x, layout.top}, {x, layout.bottom}}, {kGridLine});
    pen.line({{x, layout.bottom}, {x, layout.bottom + 4}}, {kQuietInk});
    if (i % stride == 0) pen.text({x, layout.bottom + 17}, tick.label, kTickLetters, Anchor::kMiddle);
  }
}

void draw_words(const Chart& chart, const ChartLayout& layout, Pen& pen) {
  const double all = layout.width - 2 * kMargin;
  pen.text({kMargin, kMargin + 13}, fitted(chart.title, kTitleLetters, all), kTitleLetters, Anchor::kStart);
  pen.text({(layout.left + layout.right) / 2, layout.height - kMargin - 1},
           fitted(chart.x_label, kLabelLetters, layout.right - layout.left), kLabelLetters, Anchor::kMiddle);
  pen.text({kMargin + 10, (layout.top + layout.bottom) / 2},
           fitted(chart.y_label, kLabelLetters, layout.bottom - layout.top), kLabelLetters, Anchor::kMiddle,
           /*upward=*/true);
}

/// A thin line with a head that is never longer than the arrow.
void draw_arrow(Point from, Point to, Colour colour, Pen& pen) {
  const double length = std::hypot(to.x - from.x, to.y - from.y);
  if (length < 0.5) return;
  const double head = std::min(5.0, length);
  const Point along = {(to.x - from.x) / length, (to.y - from.y) / length};
  const Point neck = {to.x - head * along.x, to.y - head * along.y};
  const double half = 0.4 * head;
  pen.line({from, neck}, {colour, 0.9});
  pen.fill({to, {neck.x - half * along.y, neck.y + half * along.x}, {neck.x + half * along.y, neck.y - half * along.x}},
           colour);
}

/// The curve in as many pieces as its gaps make.
void draw_curve(const Curve& curve, const ChartLayout& layout, const Stroke& stroke, Pen& pen) {
  std::vector<Point> line, band;
  std::vector<Point> under;
  const auto finish = [&] {
    band.insert(band.end(), under.rbegin(), under.rend());
    if (line.size() > 1 && band.size() > 2)
      pen.fill(band, {stroke.colour.red, stroke.colour.green, stroke.colour.blue, 0.18});
    if (line.size() > 1 && curve.line) pen.line(line, stroke);
    if (line.size() == 1 && !curve.marks && curve.line) pen.dot(line[0], 2.4, stroke.colour);
    line.clear();
    band.clear();
    under.clear();
  };
  for (std::size_t i = 0; i < curve.x.size(); ++i) {
    const double x = curve.x[i];
    if (!layout.x.shows(x) || !layout.y.shows(curve.y[i])) {
      finish();
      continue;
    }
    line.push_back(layout.at(x, curve.y[i]));
    if (has_band(curve) && layout.y.shows(curve.low[i]) && layout.y.shows(curve.high[i])) {
      band.push_back(layout.at(x, curve.high[i]));
      under.push_back(layout.at(x, curve.low[i]));
    }
    if (curve.marks) pen.dot(line.back(), curve.line ? 3 : 1.7, stroke.colour);
    if (has_arrows(curve) && layout.y.shows(curve.to_y[i]) && layout.x.shows(curve.to_x[i])) {
      draw_arrow(line.back(), layout.at(curve.to_x[i], curve.to_y[i]), stroke.colour, pen);
    }
  }
  finish();
}

std::vector<Stroke> strokes_of(const Chart& chart) {
  std::map<std::size_t, std::size_t> seen;  // curves of each family so far
  std::vector<Stroke> strokes;
  for (std::size_t c = 0; c < chart.curves.size(); ++c) {
    const std::optional<std::size_t>& family = chart.curves[c].family;
    strokes.push_back(family ? curve_stroke(*family, seen[*family]++) : curve_stroke(c));
  }
  return strokes;
}

void draw_legend(const Chart& chart, const std::vector<Stroke>& strokes, const ChartLayout& layout, Pen& pen) {
  double y = layout.top + 10;
  const double left = layout.right + kLegendGap;
  for (std::size_t c = 0; c < chart.curves.size(); ++c) {
    const Curve& curve = chart.curves[c];
    if (curve.name.empty()) continue;
    if (curve.line) pen.line({{left, y}, {left + kSample, y}}, strokes[c]);
    if (curve.marks) pen.dot({left + kSample / 2, y}, 3, strokes[c].colour);
    pen.text({left + kSample + kNameGap, y + middle_of(kLabelLetters)}, fitted(curve.name, kLabelLetters, kLongestName),
             kLabelLetters, Anchor::kStart);
    y += kLegendLine;
  }
}

void paint_chart(const Chart& chart, const ChartLayout& layout, Pen& pen) {
  const std::vector<Stroke> strokes = strokes_of(chart);
  draw_grid(layout, pen);
  pen.line({{layout.left, layout.bottom}, {layout.right, layout.bottom}}, {kQuietInk});
  constexpr double kMark = 4;  // a mark on the edge is not cut in two
  pen.clipped({layout.left - kMark, layout.top - kMark}, {layout.right + kMark, layout.bottom + kMark}, [&] {
    for (std::size_t c = 0; c < chart.curves.size(); ++c) draw_curve(chart.curves[c], layout, strokes[c], pen);
  });
  draw_legend(chart, strokes, layout, pen);
  draw_words(chart, layout, pen);
}

}  // namespace

Drawing draw(const Chart& chart) {
  check_lengths(chart);
  const ChartLayout layout = laid_out(chart);
  return {layout.width, layout.height, 2, [chart, layout](Pen& pen) { paint_chart(chart, layout, pen); }};
}

}  // namespace sextant::report
