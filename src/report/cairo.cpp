// Cairo's side of every drawing.
#include <cairo-pdf.h>
#include <cairo-svg.h>
#include <cairo.h>

#include <array>
#include <cmath>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <regex>

#include "paper.h"
#include "pen.h"
#include "picture.h"
#include "sextant/runtime/error.h"

namespace sextant::report {
namespace {

template <auto destroy>
struct Destroy {
  template <typename T>
  void operator()(T* object) const {
    destroy(object);
  }
};
using Surface = std::unique_ptr<cairo_surface_t, Destroy<cairo_surface_destroy>>;
using Context = std::unique_ptr<cairo_t, Destroy<cairo_destroy>>;
using FontFace = std::unique_ptr<cairo_font_face_t, Destroy<cairo_font_face_destroy>>;
using ScaledFont = std::unique_ptr<cairo_scaled_font_t, Destroy<cairo_scaled_font_destroy>>;
using FontOptions = std::unique_ptr<cairo_font_options_t, Destroy<cairo_font_options_destroy>>;

void check(cairo_status_t status) {
  if (status != CAIRO_STATUS_SUCCESS) throw Error(std::string("cannot draw: ") + cairo_status_to_string(status));
}

/// Valid UTF-8 on one line: cairo draws nothing any more after a text that is not.
std::string printable(const std::string& words) {
  using nlohmann::json;
  std::string text = json::parse(json(words).dump(-1, ' ', false, json::error_handler_t::replace));
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  return text;
}

/// Where the font is missing, fontconfig takes its nearest relative. Looked up once: that takes milliseconds.
cairo_font_face_t* face_of(const Letters& letters) {
  const auto look_up = [](cairo_font_weight_t weight) {
    return FontFace(cairo_toy_font_face_create("DejaVu Sans", CAIRO_FONT_SLANT_NORMAL, weight));
  };
  static const FontFace kNormal = look_up(CAIRO_FONT_WEIGHT_NORMAL), kBold = look_up(CAIRO_FONT_WEIGHT_BOLD);
  return letters.bold ? kBold.get() : kNormal.get();
}

/// Letters are as wide on every paper: not fitted to pixels.
FontOptions font_options() {
  FontOptions options(cairo_font_options_create());
  cairo_font_options_set_antialias(options.get(), CAIRO_ANTIALIAS_GRAY);
  cairo_font_options_set_hint_style(options.get(), CAIRO_HINT_STYLE_NONE);
  cairo_font_options_set_hint_metrics(options.get(), CAIRO_HINT_METRICS_OFF);
  return options;
}

class CairoPen : public Pen {
 public:
  explicit CairoPen(cairo_t* cairo) : cairo_(cairo) {
    cairo_set_line_join(cairo_, CAIRO_LINE_JOIN_ROUND);
    cairo_set_tolerance(cairo_, 0.01);  // dots stay round when a document is enlarged
    cairo_set_font_options(cairo_, font_options().get());
  }

  void fill(const std::vector<Point>& outline, Colour colour) override {
    trace(outline);
    cairo_close_path(cairo_);
    ink(colour);
    cairo_fill(cairo_);
  }

  void line(const std::vector<Point>& points, const Stroke& stroke) override {
    static constexpr std::array<double, 4> kDashed = {6, 3.5}, kDotted = {1.6, 2.6}, kDashDotted = {7, 3, 1.6, 3};
    const double* dash = stroke.dash == Dash::kDashed   ? kDashed.data()
                         : stroke.dash == Dash::kDotted ? kDotted.data()
                                                        : kDashDotted.data();
    cairo_set_dash(cairo_, dash, stroke.dash == Dash::kSolid ? 0 : stroke.dash == Dash::kDashDotted ? 4 : 2, 0);
    cairo_set_line_width(cairo_, stroke.width);
    trace(points);
    ink(stroke.colour);
    cairo_stroke(cairo_);
  }

  void dot(Point centre, double radius, Colour colour) override {
    cairo_new_path(cairo_);
    cairo_arc(cairo_, centre.x, centre.y, radius, 0, 2 * M_PI);
    ink(colour);
    cairo_fill(cairo_);
  }

  void text(Point at, const std::string& words, const Letters& letters, Anchor anchor, bool upward) override {
    const double share = anchor == Anchor::kStart ? 0 : anchor == Anchor::kMiddle ? 0.5 : 1;
    cairo_save(cairo_);
    cairo_translate(cairo_, at.x, at.y);
    if (upward) cairo_rotate(cairo_, -M_PI / 2);
    cairo_move_to(cairo_, -share * text_width(words, letters), 0);
    cairo_set_font_face(cairo_, face_of(letters));
    cairo_set_font_size(cairo_, letters.size);
    ink(letters.colour);
    cairo_show_text(cairo_, printable(words).c_str());
    cairo_restore(cairo_);
  }

  void image(Point at, const Tensor& picture) override;

  void clipped(Point upper_left, Point lower_right, const std::function<void()>& paint) override {
    cairo_save(cairo_);
    trace(rectangle(upper_left, lower_right));
    cairo_clip(cairo_);
    paint();
    cairo_restore(cairo_);
  }

 private:
  void trace(const std::vector<Point>& points) {
    cairo_new_path(cairo_);
    for (const Point& point : points) cairo_line_to(cairo_, point.x, point.y);
  }
  void ink(Colour c) { cairo_set_source_rgba(cairo_, c.red, c.green, c.blue, c.opacity); }

  cairo_t* cairo_;
};

void CairoPen::image(Point at, const Tensor& picture) {
  check_picture("image", picture);
  const Tensor pixels = picture.expand({-1, -1, 3}).to(at::kCPU).contiguous();
  const auto height = static_cast<int>(pixels.size(0));
  const auto width = static_cast<int>(pixels.size(1));
  const Surface surface(cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height));
  check(cairo_surface_status(surface.get()));
  cairo_surface_flush(surface.get());
  const uint8_t* from = pixels.data_ptr<uint8_t>();
  for (int row = 0; row < height; ++row) {
    auto* to = reinterpret_cast<uint32_t*>(cairo_image_surface_get_data(surface.get()) +
                                           row * cairo_image_surface_get_stride(surface.get()));
    for (int column = 0; column < width; ++column, from += 3) {
      to[column] = static_cast<uint32_t>(from[0]) << 16 | static_cast<uint32_t>(from[1]) << 8 | from[2];
    }
  }
  cairo_surface_mark_dirty(surface.get());
  cairo_set_source_surface(cairo_, surface.get(), at.x, at.y);
  double pixel = 1, none = 0;
  cairo_user_to_device_distance(cairo_, &pixel, &none);
  // Pixels that are enlarged stay squares.
  cairo_pattern_set_filter(cairo_get_source(cairo_), pixel < 1 ? CAIRO_FILTER_GOOD : CAIRO_FILTER_NEAREST);
  cairo_paint(cairo_);
}

/// Paints white and then the drawing, `scale` pixels a unit.
void paint(const Drawing& drawing, cairo_surface_t* surface, double scale) {
  check(cairo_surface_status(surface));
  const Context cairo(cairo_create(surface));
  cairo_scale(cairo.get(), scale, scale);
  cairo_set_source_rgb(cairo.get(), 1, 1, 1);
  cairo_paint(cairo.get());
  CairoPen pen(cairo.get());
  drawing.paint(pen);
  check(cairo_status(cairo.get()));
}

cairo_status_t append(void* document, const unsigned char* bytes, unsigned int count) {
  static_cast<std::string*>(document)->append(reinterpret_cast<const char*>(bytes), count);
  return CAIRO_STATUS_SUCCESS;
}

/// Cairo numbers what it names throughout the process, "surface852". From 1 in each document, so that the same drawing
/// gives the same document.
std::string renumbered(const std::string& svg) {
  static const std::regex kName("(id=\"|#)([a-z]+-?)([0-9]+)(?=[\")])");
  std::map<std::string, std::size_t> numbers;
  std::string text;
  auto rest = svg.begin();
  for (std::sregex_iterator name(svg.begin(), svg.end(), kName), end; name != end; ++name) {
    const std::size_t number = numbers.try_emplace(name->str(2) + name->str(3), numbers.size() + 1).first->second;
    text.append(rest, (*name)[0].first).append(name->str(1)).append(name->str(2)).append(std::to_string(number));
    rest = (*name)[0].second;
  }
  return text.append(rest, svg.end());
}

/// Hundredths of a unit are enough, in half the size.
std::string shortened(const std::string& svg) {
  static const std::regex kLong("(\\.[0-9]{2})[0-9]+");
  return std::regex_replace(svg, kLong, "$1");
}

void finish(cairo_surface_t* surface) {
  cairo_surface_finish(surface);
  check(cairo_surface_status(surface));
}

}  // namespace

bool can_draw() { return true; }

double text_width(const std::string& words, const Letters& letters) {
  cairo_matrix_t size, identity;
  cairo_matrix_init_scale(&size, letters.size, letters.size);
  cairo_matrix_init_identity(&identity);
  const ScaledFont font(cairo_scaled_font_create(face_of(letters), &size, &identity, font_options().get()));
  cairo_text_extents_t extents{};
  cairo_scaled_font_text_extents(font.get(), printable(words).c_str(), &extents);
  check(cairo_scaled_font_status(font.get()));
  return extents.x_advance;
}

Tensor rasterized(const Drawing& drawing) {
  constexpr double kMost = 16384;  // cairo's own limit is 32767
  const double scale = std::min(drawing.resolution, kMost / std::max(drawing.width, drawing.height));
  const auto pixels = [&](double length) { return std::max(1, static_cast<int>(std::ceil(scale * length - 1e-6))); };
  const int width = pixels(drawing.width), height = pixels(drawing.height);
  const Surface surface(cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height));
  paint(drawing, surface.get(), scale);
  cairo_surface_flush(surface.get());
  Tensor picture = at::empty({height, width, 3}, at::kByte);
  uint8_t* to = picture.data_ptr<uint8_t>();
  for (int row = 0; row < height; ++row) {
    const auto* from = reinterpret_cast<const uint32_t*>(cairo_image_surface_get_data(surface.get()) +
                                                         row * cairo_image_surface_get_stride(surface.get()));
    for (int column = 0; column < width; ++column) {
      for (const int shift : {16, 8, 0}) *to++ = static_cast<uint8_t>(from[column] >> shift);
    }
  }
  return picture;
}

std::string svg_document(const Drawing& drawing) {
  std::string document;
  const Surface surface(cairo_svg_surface_create_for_stream(append, &document, drawing.width, drawing.height));
  check(cairo_surface_status(surface.get()));
  cairo_svg_surface_set_document_unit(surface.get(), CAIRO_SVG_UNIT_PX);
  paint(drawing, surface.get(), 1);
  finish(surface.get());
  return shortened(renumbered(document));
}

std::string pdf_document(const Drawing& drawing) {
  std::string document;
  const Surface surface(cairo_pdf_surface_create_for_stream(append, &document, drawing.width, drawing.height));
  check(cairo_surface_status(surface.get()));
  cairo_pdf_surface_set_metadata(surface.get(), CAIRO_PDF_METADATA_CREATE_DATE, "");
  paint(drawing, surface.get(), 1);
  finish(surface.get());
  return document;
}

}  // namespace sextant::report
