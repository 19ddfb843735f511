// What diagrams are drawn on: coordinates in pixels from the upper left corner.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sextant/runtime/tensor.h"

namespace sextant::report {

struct Colour {
  uint8_t red, green, blue;
};

inline constexpr Colour kInk = {0x22, 0x22, 0x22};
inline constexpr Colour kGridLine = {0xdd, 0xdd, 0xdd};

/// The colour of curve number `index`: seven that colour-blind readers tell apart, then again from the first.
Colour curve_colour(std::size_t index);

struct Point {
  double x, y;
};

/// Which part of a text stands at its point.
enum class Anchor { kStart, kMiddle, kEnd };

class Canvas {
 public:
  virtual ~Canvas() = default;
  /// Corners in any order; `opacity` in [0, 1].
  virtual void rectangle(Point a, Point b, Colour colour, double opacity = 1) = 0;
  virtual void line(const std::vector<Point>& points, Colour colour, double width, bool dashed = false) = 0;
  virtual void dot(Point centre, double radius, Colour colour) = 0;
  /// One line, about 8 pixels high, its baseline at `at`; `upward` turns it a quarter to the left.
  virtual void text(Point at, const std::string& words, Anchor anchor, bool upward = false) = 0;
};

class SvgCanvas : public Canvas {
 public:
  SvgCanvas(int64_t width, int64_t height);
  void rectangle(Point a, Point b, Colour colour, double opacity) override;
  void line(const std::vector<Point>& points, Colour colour, double width, bool dashed) override;
  void dot(Point centre, double radius, Colour colour) override;
  void text(Point at, const std::string& words, Anchor anchor, bool upward) override;
  std::string document() const { return body_ + "</svg>\n"; }

 private:
  std::string body_;
};

/// Two picture pixels a pixel, smoothed edges, letters of report::text().
class PixelCanvas : public Canvas {
 public:
  PixelCanvas(int64_t width, int64_t height);
  void rectangle(Point a, Point b, Colour colour, double opacity) override;
  void line(const std::vector<Point>& points, Colour colour, double width, bool dashed) override;
  void dot(Point centre, double radius, Colour colour) override;
  void text(Point at, const std::string& words, Anchor anchor, bool upward) override;
  Tensor picture() const { return pixels_; }

 private:
  /// Mixes `colour` into a pixel; pixels outside are ignored.
  void mix(int64_t row, int64_t column, Colour colour, double share);
  void segment(Point a, Point b, Colour colour, double half_width);

  int64_t width_;
  int64_t height_;
  Tensor pixels_;  ///< uint8 [H, W, 3]
};

}  // namespace sextant::report
