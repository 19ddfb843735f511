// A pen that remembers what it was told to draw, so that tests need no picture and no font of a certain name.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "pen.h"
#include "sextant/report/drawing.h"

namespace sextant::report {

struct Box {
  double left, top, right, bottom;
};

struct Recorder : Pen {
  struct Line {
    std::vector<Point> points;
    Stroke stroke;
  };
  struct Area {
    std::vector<Point> outline;
    Colour colour;
  };
  struct Text {
    std::string words;
    Box box;  ///< about
  };
  struct Image {
    Point at;
    Tensor picture;
  };

  std::vector<Line> lines;
  std::vector<Area> areas;
  std::vector<Point> dots;
  std::vector<Text> texts;
  std::vector<Image> images;

  void fill(const std::vector<Point>& outline, Colour colour) override { areas.push_back({outline, colour}); }
  void line(const std::vector<Point>& points, const Stroke& stroke) override { lines.push_back({points, stroke}); }
  void dot(Point centre, double, Colour) override { dots.push_back(centre); }
  void image(Point at, const Tensor& picture) override { images.push_back({at, picture}); }
  void clipped(Point, Point, const std::function<void()>& paint) override { paint(); }

  void text(Point at, const std::string& words, const Letters& letters, Anchor anchor, bool upward) override {
    if (words.empty()) return;
    const double width = text_width(words, letters);
    const double back = width * (anchor == Anchor::kStart ? 0 : anchor == Anchor::kMiddle ? 0.5 : 1);
    const double high = 0.75 * letters.size, low = 0.2 * letters.size;
    texts.push_back({words, upward ? Box{at.x - high, at.y - width + back, at.x + low, at.y + back}
                                   : Box{at.x - back, at.y - high, at.x - back + width, at.y + low}});
  }

  bool says(const std::string& words) const {
    return std::any_of(texts.begin(), texts.end(), [&](const Text& t) { return t.words == words; });
  }

  /// The lines of curve `index`; one that a legend shows is among them.
  std::vector<Line> curve(const Stroke& stroke) const {
    std::vector<Line> some;
    for (const Line& line : lines) {
      const Colour &a = line.stroke.colour, &b = stroke.colour;
      const bool same = a.red == b.red && a.green == b.green && a.blue == b.blue;
      if (same && line.stroke.dash == stroke.dash && line.stroke.width == stroke.width) some.push_back(line);
    }
    return some;
  }
};

inline Recorder recorded(const Drawing& drawing) {
  Recorder recorder;
  drawing.paint(recorder);
  return recorder;
}

/// Every text that lies over another or over the edge of the sheet.
inline std::vector<std::string> clashes(const Drawing& drawing) {
  std::vector<std::string> found;
  const std::vector<Recorder::Text> texts = recorded(drawing).texts;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const Box& a = texts[i].box;
    if (a.left < 0 || a.top < 0 || a.right > drawing.width || a.bottom > drawing.height) {
      found.push_back("'" + texts[i].words + "' beyond the edge");
    }
    for (std::size_t j = 0; j < i; ++j) {
      const Box& b = texts[j].box;
      if (a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom) {
        found.push_back("'" + texts[j].words + "' and '" + texts[i].words + "'");
      }
    }
  }
  return found;
}

/// Skips a test where nothing can be drawn.
#define SEXTANT_NEEDS_CAIRO() \
  if (!can_draw()) GTEST_SKIP() << "built without cairo"

}  // namespace sextant::report
