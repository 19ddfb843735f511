#include <array>
#include <cmath>
#include <cstdio>

#include "canvas.h"

namespace sextant::report {
namespace {

/// Two digits after the point are a hundredth of a pixel.
std::string number(double value) {
  char text[64];
  std::snprintf(text, sizeof text, "%.2f", value);
  std::string shortened = text;
  shortened.erase(shortened.find_last_not_of('0') + 1);
  if (shortened.back() == '.') shortened.pop_back();
  return shortened == "-0" ? "0" : shortened;
}

std::string hex(Colour colour) {
  char text[8];
  std::snprintf(text, sizeof text, "#%02x%02x%02x", colour.red, colour.green, colour.blue);
  return text;
}

std::string escaped(const std::string& words) {
  std::string safe;
  for (const char c : words) {
    if (c == '&') {
      safe += "&amp;";
    } else if (c == '<') {
      safe += "&lt;";
    } else if (c == '>') {
      safe += "&gt;";
    } else {
      // Control characters are not allowed in XML at all.
      safe += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return safe;
}

}  // namespace

Colour curve_colour(std::size_t index) {
  static constexpr std::array<Colour, 7> kColours = {{{0x00, 0x72, 0xb2},
                                                      {0xd5, 0x5e, 0x00},
                                                      {0x00, 0x9e, 0x73},
                                                      {0xcc, 0x79, 0xa7},
                                                      {0xe6, 0x9f, 0x00},
                                                      {0x56, 0xb4, 0xe9},
                                                      {0x44, 0x44, 0x44}}};
  return kColours[index % kColours.size()];
}

SvgCanvas::SvgCanvas(int64_t width, int64_t height) {
  const std::string w = std::to_string(width);
  const std::string h = std::to_string(height);
  body_ = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + w + "\" height=\"" + h + "\" viewBox=\"0 0 " + w +
          " " + h + "\" font-family=\"sans-serif\" font-size=\"11\">\n<rect width=\"" + w + "\" height=\"" + h +
          "\" fill=\"#ffffff\"/>\n";
}

void SvgCanvas::rectangle(Point a, Point b, Colour colour, double opacity) {
  body_ += "<rect x=\"" + number(std::min(a.x, b.x)) + "\" y=\"" + number(std::min(a.y, b.y)) + "\" width=\"" +
           number(std::abs(a.x - b.x)) + "\" height=\"" + number(std::abs(a.y - b.y)) + "\" fill=\"" + hex(colour) +
           "\"";
  if (opacity < 1) body_ += " fill-opacity=\"" + number(opacity) + "\"";
  body_ += "/>\n";
}

void SvgCanvas::line(const std::vector<Point>& points, Colour colour, double width, bool dashed) {
  body_ += "<polyline fill=\"none\" stroke=\"" + hex(colour) + "\" stroke-width=\"" + number(width) + "\"";
  if (dashed) body_ += " stroke-dasharray=\"5 4\"";
  body_ += " points=\"";
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (i > 0) body_ += ' ';
    body_ += number(points[i].x) + "," + number(points[i].y);
  }
  body_ += "\"/>\n";
}

void SvgCanvas::dot(Point centre, double radius, Colour colour) {
  body_ += "<circle cx=\"" + number(centre.x) + "\" cy=\"" + number(centre.y) + "\" r=\"" + number(radius) +
           "\" fill=\"" + hex(colour) + "\"/>\n";
}

void SvgCanvas::text(Point at, const std::string& words, Anchor anchor, bool upward) {
  static constexpr std::array<const char*, 3> kAnchors = {"start", "middle", "end"};
  const std::string x = number(at.x);
  const std::string y = number(at.y);
  body_ += "<text x=\"" + x + "\" y=\"" + y + "\" fill=\"" + hex(kInk) + "\" text-anchor=\"" +
           kAnchors[static_cast<std::size_t>(anchor)] + "\"";
  if (upward) body_.append(" transform=\"rotate(-90 ").append(x).append(" ").append(y).append(")\"");
  body_ += ">";
  body_ += escaped(words);
  body_ += "</text>\n";
}

}  // namespace sextant::report
