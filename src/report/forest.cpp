#include "internal/report/forest.h"

#include <algorithm>
#include <cmath>

#include "axis.h"
#include "internal/report/table.h"
#include "sextant/runtime/error.h"
#include "style.h"

namespace sextant::report {
namespace {

constexpr double kRow = 22, kPanel = 230, kBetween = 36, kLongestRow = 300, kHead = 6;
constexpr Colour kBetter = rgb(0x1a7f4b), kWorse = rgb(0xb3402a), kUnsure = rgb(0x7a7a7a);

/// The largest size that a panel shows as it is.
double reach_of(const ForestPanel& panel) {
  std::vector<double> sizes;
  for (const auto& entry : panel.rows) {
    if (!entry) continue;
    sizes.push_back(std::max({std::abs(entry->value), std::abs(entry->low.value_or(entry->value)),
                              std::abs(entry->high.value_or(entry->value))}));
  }
  if (sizes.empty()) return 1;
  std::sort(sizes.begin(), sizes.end());
  const double reach = std::min(sizes.back(), 3 * sizes[sizes.size() / 2]);
  return reach > 0 ? reach : 1;
}

Colour colour_of(const ForestEntry& entry, bool smaller_is_better) {
  const bool sure = entry.low && entry.high && *entry.low * *entry.high > 0;
  if (!sure) return kUnsure;
  return (entry.value < 0) == smaller_is_better ? kBetter : kWorse;
}

/// "+12.3", with a sign of its own.
std::string signed_number(double value) {
  return (value < 0 ? "−" : "+") + fixed(std::abs(value), digits_for({value}, 0));
}

void draw_entry(const ForestEntry& entry, const ForestPanel& panel, const Axis& axis, double left, double y, Pen& pen) {
  const Colour colour = colour_of(entry, panel.smaller_is_better);
  const auto x = [&](double value) { return left + kPanel * std::clamp(axis.place(value), 0.0, 1.0); };
  const auto beyond = [&](double value) { return value < axis.low || value > axis.high; };
  const auto inward_of = [&](double value) { return value > axis.high ? -1.0 : 1.0; };
  const auto arrow = [&](double tip, double base) {
    pen.fill({{tip, y}, {base, y - kHead / 2}, {base, y + kHead / 2}}, colour);
  };
  const double low = entry.low.value_or(entry.value), high = entry.high.value_or(entry.value);
  if (!beyond(entry.value)) {
    pen.line({{x(low), y}, {x(high), y}}, {colour, 2});
    for (const double end : {low, high}) {  // it is longer than the panel
      if (beyond(end)) arrow(x(end) - inward_of(end) * kHead, x(end));
    }
    pen.dot({x(entry.value), y}, 4, colour);
    return;
  }
  const double inward = inward_of(entry.value), edge = x(entry.value);
  arrow(edge, edge + inward * kHead);
  pen.text({edge + inward * (kHead + 4), y + middle_of(kTickLetters)}, signed_number(entry.value), kTickLetters,
           inward < 0 ? Anchor::kEnd : Anchor::kStart);
}

void draw_panel(const ForestPanel& panel, double left, double top, double bottom, Pen& pen) {
  const double reach = reach_of(panel);
  Axis axis = linear_axis(-1.05 * reach, 1.05 * reach, 4);
  // A lone zero tells no scale.
  for (int count = 5; axis.ticks.size() < 3 && count < 12; ++count) {
    axis = linear_axis(-1.05 * reach, 1.05 * reach, count);
  }
  pen.text({left + kPanel / 2, top - 8}, fitted(panel.label, kLabelLetters, kPanel), kLabelLetters, Anchor::kMiddle);
  for (const Tick& tick : axis.ticks) {
    const double x = left + kPanel * axis.place(tick.value);
    pen.line({{x, top}, {x, bottom}}, {tick.value == 0 ? kQuietInk : kGridLine});
    pen.text({x, bottom + 15}, tick.label, kTickLetters, Anchor::kMiddle);
  }
  for (std::size_t row = 0; row < panel.rows.size(); ++row) {
    if (!panel.rows[row]) continue;
    draw_entry(*panel.rows[row], panel, axis, left, top + kRow * (static_cast<double>(row) + 0.5), pen);
  }
}

}  // namespace

Drawing draw(const Forest& forest) {
  for (const ForestPanel& panel : forest.panels) {
    if (panel.rows.size() == forest.rows.size()) continue;
    throw ShapeError(c10::str("forest '", forest.title, "': panel '", panel.label, "' has ", panel.rows.size(),
                              " entries for ", forest.rows.size(), " rows"));
  }
  double names = 0;
  for (const std::string& row : forest.rows) {
    names = std::max(names, text_width(fitted(row, kLabelLetters, kLongestRow), kLabelLetters));
  }
  const double first = kMargin + names + 14, top = kMargin + 56;
  const double bottom = top + kRow * static_cast<double>(forest.rows.size());
  const double width = first + static_cast<double>(forest.panels.size()) * (kPanel + kBetween);
  return {std::ceil(width), std::ceil(bottom + 22 + kMargin), 2, [=](Pen& pen) {
            pen.text({kMargin, kMargin + 13}, fitted(forest.title, kTitleLetters, width - 2 * kMargin), kTitleLetters,
                     Anchor::kStart);
            for (std::size_t row = 0; row < forest.rows.size(); ++row) {
              const double y = top + kRow * (static_cast<double>(row) + 0.5);
              pen.text({first - 14, y + middle_of(kLabelLetters)}, fitted(forest.rows[row], kLabelLetters, kLongestRow),
                       kLabelLetters, Anchor::kEnd);
            }
            for (std::size_t p = 0; p < forest.panels.size(); ++p) {
              draw_panel(forest.panels[p], first + static_cast<double>(p) * (kPanel + kBetween), top, bottom, pen);
            }
          }};
}

}  // namespace sextant::report
