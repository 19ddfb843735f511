#include <algorithm>
#include <string>

#include "axis.h"
#include "internal/report/table.h"
#include "sextant/report/drawing.h"
#include "style.h"

namespace sextant::report {
namespace {

constexpr Colour kBar = rgb(0x56b4e9);
constexpr Colour kGap = rgb(0xf2b48a);
constexpr Stroke kAccuracy = {rgb(0x0072b2), 2};
constexpr double kSide = 340;   ///< of the square of confidence and accuracy
constexpr double kShares = 70;  ///< height of the histogram below
constexpr double kLeft = 70, kTop = kMargin + 64;
constexpr double kBottom = kTop + kSide, kSharesTop = kBottom + 16, kFloor = kSharesTop + kShares;
constexpr double kPlotWidth = kLeft + kSide + 24, kPlotHeight = kFloor + 20 + 20 + kMargin;

double across(double confidence) { return kLeft + confidence * kSide; }
double up(double accuracy) { return kBottom - accuracy * kSide; }

void draw_axes(Pen& pen) {
  for (const Tick& tick : linear_axis(0, 1, 5).ticks) {
    const double x = across(tick.value), y = up(tick.value);
    pen.line({{kLeft, y}, {kLeft + kSide, y}}, {kGridLine});
    pen.line({{x, kTop}, {x, kBottom}}, {kGridLine});
    pen.text({kLeft - 8, y + middle_of(kTickLetters)}, tick.label, kTickLetters, Anchor::kEnd);
    pen.line({{x, kFloor}, {x, kFloor + 4}}, {kQuietInk});
    pen.text({x, kFloor + 17}, tick.label, kTickLetters, Anchor::kMiddle);
  }
  pen.text({kLeft + kSide / 2, kPlotHeight - kMargin - 1}, "confidence", kLabelLetters, Anchor::kMiddle);
  pen.text({kMargin + 10, (kTop + kBottom) / 2}, "accuracy", kLabelLetters, Anchor::kMiddle, /*upward=*/true);
  pen.text({kMargin + 10, (kSharesTop + kFloor) / 2}, "share", kLabelLetters, Anchor::kMiddle, /*upward=*/true);
}

/// Swatches and words in one line.
void draw_key(double y, Pen& pen) {
  double x = kLeft;
  const auto entry = [&](const std::string& words, const auto& swatch) {
    swatch(x);
    pen.text({x + 18, y + middle_of(kTickLetters)}, words, kTickLetters, Anchor::kStart);
    x += 18 + text_width(words, kTickLetters) + 18;
  };
  const auto box = [&](Colour colour) {
    return [&pen, y, colour](double left) { pen.fill(rectangle({left, y - 6}, {left + 12, y + 6}), colour); };
  };
  entry("accuracy", [&](double left) {
    box(kBar)(left);
    pen.line({{left, y - 6}, {left + 12, y - 6}}, kAccuracy);
  });
  entry("gap to the confidence", box(kGap));
  entry("calibrated", [&](double left) { pen.line({{left, y}, {left + 14, y}}, {kInk, 1.2, Dash::kDashed}); });
}

void draw_bars(const calibration::Bins& bins, double largest, Pen& pen) {
  const auto numbers = [](const Tensor& t) { return t.to(at::kCPU, at::kDouble).contiguous(); };
  const Tensor edges = numbers(bins.edges), count = numbers(bins.count), accuracy = numbers(bins.accuracy),
               confidence = numbers(bins.confidence);
  const auto of = [](const Tensor& t, int64_t b) { return t.data_ptr<double>()[b]; };
  for (int64_t b = 0; b < count.numel(); ++b) {
    if (of(count, b) == 0) continue;
    const double left = across(of(edges, b)) + 0.5;
    const double right = std::max(left + 0.5, across(of(edges, b + 1)) - 0.5);
    pen.fill(rectangle({left, kBottom}, {right, up(of(accuracy, b))}), kBar);
    pen.fill(rectangle({left, up(of(accuracy, b))}, {right, up(of(confidence, b))}), kGap);
    pen.line({{left, up(of(accuracy, b))}, {right, up(of(accuracy, b))}}, kAccuracy);
    pen.fill(rectangle({left, kFloor}, {right, kFloor - of(count, b) / largest * kShares}), kBar);
  }
}

void paint_reliability(const Reliability& diagram, Pen& pen) {
  const calibration::Bins& bins = diagram.bins;
  const auto total = bins.count.sum().item<int64_t>();
  const double largest = total > 0 ? bins.count.max().item<double>() : 1;
  pen.text({kMargin, kMargin + 13}, fitted(diagram.title, kTitleLetters, kPlotWidth - 2 * kMargin), kTitleLetters,
           Anchor::kStart);
  pen.text({kMargin, kMargin + 32},
           "ECE " + fixed(bins.ece, 4) + " · MCE " + fixed(bins.mce, 4) + " · " + std::to_string(total) + " samples",
           kLabelLetters, Anchor::kStart);
  draw_key(kMargin + 48, pen);
  draw_axes(pen);
  draw_bars(bins, largest, pen);
  pen.text({kLeft - 8, kSharesTop + 2 * middle_of(kTickLetters)},
           total > 0 ? fixed(100 * largest / static_cast<double>(total), 0) + " %" : "", kTickLetters, Anchor::kEnd);
  pen.text({kLeft - 8, kFloor}, "0 %", kTickLetters, Anchor::kEnd);
  pen.line({{across(0), up(0)}, {across(1), up(1)}}, {kInk, 1.2, Dash::kDashed});
  for (const double base : {kBottom, kFloor}) pen.line({{kLeft, base}, {kLeft + kSide, base}}, {kQuietInk});
}

}  // namespace

Drawing draw(const Reliability& diagram) {
  return {kPlotWidth, kPlotHeight, 2, [diagram](Pen& pen) { paint_reliability(diagram, pen); }};
}

}  // namespace sextant::report
