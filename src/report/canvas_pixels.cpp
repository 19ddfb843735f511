#include <cmath>

#include "canvas.h"
#include "sextant/report/report.h"

namespace sextant::report {
namespace {

constexpr double kScale = 2;  ///< picture pixels a pixel

Point scaled(Point p) { return {kScale * p.x, kScale * p.y}; }

double length(Point p) { return std::hypot(p.x, p.y); }

/// How much of pixel [i, i + 1] lies in [low, high].
double overlap(int64_t i, double low, double high) {
  const auto left = static_cast<double>(i);
  return std::max(0.0, std::min(high, left + 1) - std::max(low, left));
}

int64_t first_of(double value) { return static_cast<int64_t>(std::floor(value)); }
int64_t last_of(double value) { return static_cast<int64_t>(std::ceil(value)); }

}  // namespace

PixelCanvas::PixelCanvas(int64_t width, int64_t height)
    : width_(static_cast<int64_t>(kScale) * width),
      height_(static_cast<int64_t>(kScale) * height),
      pixels_(at::full({height_, width_, 3}, 255, at::kByte)) {}

void PixelCanvas::mix(int64_t row, int64_t column, Colour colour, double share) {
  if (row < 0 || row >= height_ || column < 0 || column >= width_ || share <= 0) return;
  uint8_t* pixel = pixels_.data_ptr<uint8_t>() + 3 * (row * width_ + column);
  const uint8_t parts[3] = {colour.red, colour.green, colour.blue};
  for (int c = 0; c < 3; ++c) {
    pixel[c] = static_cast<uint8_t>(std::lround(pixel[c] + std::min(share, 1.0) * (parts[c] - pixel[c])));
  }
}

void PixelCanvas::rectangle(Point a, Point b, Colour colour, double opacity) {
  const Point low = scaled({std::min(a.x, b.x), std::min(a.y, b.y)});
  const Point high = scaled({std::max(a.x, b.x), std::max(a.y, b.y)});
  for (int64_t row = first_of(low.y); row < last_of(high.y); ++row) {
    for (int64_t column = first_of(low.x); column < last_of(high.x); ++column) {
      mix(row, column, colour, opacity * overlap(row, low.y, high.y) * overlap(column, low.x, high.x));
    }
  }
}

void PixelCanvas::segment(Point a, Point b, Colour colour, double half_width) {
  const double reach = half_width + 1;
  const Point along = {b.x - a.x, b.y - a.y};
  const double square = along.x * along.x + along.y * along.y;
  for (int64_t row = first_of(std::min(a.y, b.y) - reach); row < last_of(std::max(a.y, b.y) + reach); ++row) {
    for (int64_t column = first_of(std::min(a.x, b.x) - reach); column < last_of(std::max(a.x, b.x) + reach);
         ++column) {
      const Point from_a = {static_cast<double>(column) + 0.5 - a.x, static_cast<double>(row) + 0.5 - a.y};
      const double share = square > 0 ? std::clamp((from_a.x * along.x + from_a.y * along.y) / square, 0.0, 1.0) : 0.0;
      const double distance = length({from_a.x - share * along.x, from_a.y - share * along.y});
      mix(row, column, colour, std::min(half_width + 0.5 - distance, 2 * half_width));
    }
  }
}

void PixelCanvas::line(const std::vector<Point>& points, Colour colour, double width, bool dashed) {
  constexpr double kDash = 5, kGap = 4;  // pixels
  double walked = 0;
  for (std::size_t i = 1; i < points.size(); ++i) {
    const Point a = scaled(points[i - 1]);
    const Point b = scaled(points[i]);
    const double half_width = kScale * width / 2;
    if (!dashed) {
      segment(a, b, colour, half_width);
      continue;
    }
    const double whole = length({b.x - a.x, b.y - a.y});
    const auto at = [&](double distance) {
      const double share = std::clamp(distance / whole, 0.0, 1.0);
      return Point{a.x + share * (b.x - a.x), a.y + share * (b.y - a.y)};
    };
    const double period = kScale * (kDash + kGap);
    for (double start = -std::fmod(walked, period); start < whole; start += period) {
      const double end = start + kScale * kDash;
      if (end > 0) segment(at(start), at(end), colour, half_width);
    }
    walked += whole;
  }
}

void PixelCanvas::dot(Point centre, double radius, Colour colour) {
  const Point c = scaled(centre);
  segment(c, c, colour, kScale * radius);
}

void PixelCanvas::text(Point at, const std::string& words, Anchor anchor, bool upward) {
  Tensor letters = report::text(words, static_cast<int64_t>(kScale)).select(2, 0);
  const double share = anchor == Anchor::kStart ? 0 : anchor == Anchor::kMiddle ? 0.5 : 1;
  const auto back = static_cast<int64_t>(std::lround(share * static_cast<double>(letters.size(1))));
  const int64_t high = letters.size(0);
  const Point p = scaled(at);
  int64_t top = std::lround(p.y) - (upward ? letters.size(1) - back : high);
  int64_t left = std::lround(p.x) - (upward ? high : back);
  if (upward) letters = letters.rot90(1, {0, 1});
  letters = letters.contiguous();
  const uint8_t* ink = letters.data_ptr<uint8_t>();
  for (int64_t row = 0; row < letters.size(0); ++row) {
    for (int64_t column = 0; column < letters.size(1); ++column) {
      if (ink[row * letters.size(1) + column] == 0) mix(top + row, left + column, kInk, 1);
    }
  }
}

}  // namespace sextant::report
