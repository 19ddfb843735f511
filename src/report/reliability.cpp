#include <algorithm>

#include "axis.h"
#include "canvas.h"
#include "internal/runtime/files.h"
#include "sextant/report/curves.h"
#include "sextant/report/report.h"
#include "sextant/runtime/error.h"

namespace sextant::report {
namespace {

constexpr Colour kBar = {0x56, 0x9c, 0xd6};
constexpr Colour kGapColour = {0xd5, 0x5e, 0x00};
constexpr double kLeft = 52, kTop = 30, kRight = 16, kBelow = 134;

struct Sizes {
  double side;    ///< of the square of confidence and accuracy
  double shares;  ///< height of the histogram below
  int64_t width, height;
};

Sizes sizes_of(const Reliability& diagram) {
  const double side = static_cast<double>(diagram.size) - kLeft - kRight;
  if (side < 50) throw ShapeError(c10::str("reliability diagram: expected a size of at least 120, got ", diagram.size));
  return {side, 70, diagram.size, static_cast<int64_t>(kTop + side + kBelow)};
}

void draw_axes(const Reliability& diagram, const Sizes& sizes, Canvas& canvas) {
  const double bottom = kTop + sizes.side;
  for (const Tick& tick : linear_axis(0, 1, 5).ticks) {
    const double x = kLeft + tick.value * sizes.side;
    const double y = bottom - tick.value * sizes.side;
    canvas.line({{kLeft, y}, {kLeft + sizes.side, y}}, kGridLine, 1);
    canvas.text({kLeft - 6, y + 4}, tick.label, Anchor::kEnd);
    canvas.text({x, static_cast<double>(sizes.height) - 22}, tick.label, Anchor::kMiddle);
  }
  const double middle = kLeft + sizes.side / 2;
  canvas.text({middle, 18}, diagram.title, Anchor::kMiddle);
  canvas.text({middle, static_cast<double>(sizes.height) - 6}, "confidence", Anchor::kMiddle);
  canvas.text({14, kTop + sizes.side / 2}, "accuracy", Anchor::kMiddle, /*upward=*/true);
}

void draw(const Reliability& diagram, const Sizes& sizes, Canvas& canvas) {
  const calibration::Bins& bins = diagram.bins;
  const auto numbers = [](const Tensor& t) { return t.to(at::kCPU, at::kDouble).contiguous(); };
  const Tensor edges = numbers(bins.edges), count = numbers(bins.count), accuracy = numbers(bins.accuracy),
               confidence = numbers(bins.confidence);
  const auto of = [](const Tensor& t, int64_t b) { return t.data_ptr<double>()[b]; };
  const double bottom = kTop + sizes.side;
  const double floor = bottom + 24 + sizes.shares;
  const double total = std::max(1.0, count.sum().item<double>());
  draw_axes(diagram, sizes, canvas);
  for (int64_t b = 0; b < count.numel(); ++b) {
    if (of(count, b) == 0) continue;
    const double left = kLeft + of(edges, b) * sizes.side + 0.5;
    const double right = kLeft + of(edges, b + 1) * sizes.side - 0.5;
    const auto height = [&](double value) { return bottom - value * sizes.side; };
    canvas.rectangle({left, bottom}, {right, height(of(accuracy, b))}, kBar);
    canvas.rectangle({left, height(of(accuracy, b))}, {right, height(of(confidence, b))}, kGapColour, 0.45);
    canvas.rectangle({left, floor}, {right, floor - of(count, b) / total * sizes.shares}, kBar);
  }
  canvas.line({{kLeft, bottom}, {kLeft + sizes.side, kTop}}, kInk, 1, /*dashed=*/true);
  canvas.line({{kLeft, kTop}, {kLeft, bottom}, {kLeft + sizes.side, bottom}}, kInk, 1);
  canvas.line({{kLeft, floor - sizes.shares}, {kLeft, floor}, {kLeft + sizes.side, floor}}, kInk, 1);
  canvas.text({kLeft - 6, floor - sizes.shares + 8}, "100%", Anchor::kEnd);
  canvas.text({kLeft - 6, floor}, "0%", Anchor::kEnd);
  canvas.text({kLeft + 8, kTop + 14}, "ECE " + fixed(bins.ece, 4), Anchor::kStart);
  canvas.text({kLeft + 8, kTop + 28}, "MCE " + fixed(bins.mce, 4), Anchor::kStart);
}

}  // namespace

std::string svg(const Reliability& diagram) {
  const Sizes sizes = sizes_of(diagram);
  SvgCanvas canvas(sizes.width, sizes.height);
  draw(diagram, sizes, canvas);
  return canvas.document();
}

Tensor picture(const Reliability& diagram) {
  const Sizes sizes = sizes_of(diagram);
  PixelCanvas canvas(sizes.width, sizes.height);
  draw(diagram, sizes, canvas);
  return canvas.picture();
}

void write_diagram(const std::filesystem::path& stem, const Reliability& diagram) {
  write_atomically(stem.string() + ".svg", svg(diagram));
  write_png(stem.string() + ".png", picture(diagram));
}

}  // namespace sextant::report
