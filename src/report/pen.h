// What drawings are made with. Coordinates are units from the upper left corner.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sextant/runtime/tensor.h"

namespace sextant::report {

struct Point {
  double x = 0;
  double y = 0;
};

struct Colour {
  double red, green, blue;  ///< in [0, 1]
  double opacity = 1;
};

constexpr Colour rgb(uint32_t hex, double opacity = 1) {
  return {(hex >> 16 & 255) / 255.0, (hex >> 8 & 255) / 255.0, (hex & 255) / 255.0, opacity};
}

enum class Dash { kSolid, kDashed, kDotted, kDashDotted };

struct Stroke {
  Colour colour;
  double width = 1;
  Dash dash = Dash::kSolid;
};

struct Letters {
  double size;  ///< from descender to ascender, about
  bool bold = false;
  Colour colour = rgb(0x262626);
};

/// Which part of a text stands at its point.
enum class Anchor { kStart, kMiddle, kEnd };

class Pen {
 public:
  virtual ~Pen() = default;
  /// The area inside `outline`.
  virtual void fill(const std::vector<Point>& outline, Colour colour) = 0;
  virtual void line(const std::vector<Point>& points, const Stroke& stroke) = 0;
  virtual void dot(Point centre, double radius, Colour colour) = 0;
  /// One line on its baseline; `upward` turns it a quarter to the left.
  virtual void text(Point at, const std::string& words, const Letters& letters, Anchor anchor, bool upward = false) = 0;
  /// A picture uint8 [H, W, 1 or 3] from its upper left corner, a pixel a unit.
  virtual void image(Point at, const Tensor& picture) = 0;
  /// What `paint` draws inside the rectangle and nothing outside.
  virtual void clipped(Point upper_left, Point lower_right, const std::function<void()>& paint) = 0;
};

/// The rectangle of two corners, for fill().
inline std::vector<Point> rectangle(Point a, Point b) { return {a, {b.x, a.y}, b, {a.x, b.y}}; }

/// How much room one line of text takes from left to right.
double text_width(const std::string& words, const Letters& letters);

/// `words`, or as much of their beginning and end as fits into `room` with dots between: names often differ at the end.
std::string fitted(const std::string& words, const Letters& letters, double room);

}  // namespace sextant::report
