#include "axis.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace sextant::report {
namespace {

/// 1, 2 or 5 times a power of ten, so that about `count` of them fill `width`.
double round_step(double width, int count) {
  const double raw = width / count;
  const double decade = std::pow(10, std::floor(std::log10(raw)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (raw <= factor * decade * (1 + 1e-9)) return factor * decade;
  }
  return 10 * decade;
}

std::string label_of(double value, double step) {
  char text[64];
  const double largest = std::abs(value) + step;
  if (largest >= 1e6 || step < 1e-4) {
    std::snprintf(text, sizeof text, "%g", std::abs(value) < step / 2 ? 0 : value);
  } else {
    const int digits = std::max(0, static_cast<int>(-std::floor(std::log10(step) + 1e-9)));
    std::snprintf(text, sizeof text, "%.*f", digits, std::abs(value) < step / 2 ? 0 : value);
  }
  return text;
}

void widen(double& low, double& high) {
  if (high - low > 1e-12 * std::max(std::abs(low), std::abs(high))) return;
  const double margin = low == 0 ? 1 : std::abs(low) / 10;
  low -= margin;
  high += margin;
}

void add_ticks(Axis& axis, double step) {
  const double slack = 1e-6 * step;
  for (double k = std::ceil((axis.low - slack) / step); k * step <= axis.high + slack; ++k) {
    axis.ticks.push_back({k * step, label_of(k * step, step)});
  }
}

}  // namespace

bool Axis::shows(double value) const { return std::isfinite(value) && (!log || value > 0); }

double Axis::place(double value) const {
  return log ? (std::log(value) - std::log(low)) / (std::log(high) - std::log(low)) : (value - low) / (high - low);
}

Axis linear_axis(double low, double high, int count) {
  widen(low, high);
  Axis axis{low, high, false, {}};
  add_ticks(axis, round_step(high - low, count));
  return axis;
}

Axis rounded_axis(double low, double high, int count) {
  widen(low, high);
  const double step = round_step(high - low, count);
  Axis axis{step * std::floor(low / step + 1e-9), step * std::ceil(high / step - 1e-9), false, {}};
  add_ticks(axis, step);
  return axis;
}

Axis log_axis(double low, double high) {
  const double first = std::floor(std::log10(low) + 1e-9);
  const double last = std::max(first + 1, std::ceil(std::log10(high) - 1e-9));
  Axis axis{std::pow(10, first), std::pow(10, last), true, {}};
  const double stride = std::ceil((last - first) / 8);
  for (double exponent = first; exponent <= last; exponent += stride) {
    char text[32];
    std::snprintf(text, sizeof text, "%g", std::pow(10, exponent));
    axis.ticks.push_back({std::pow(10, exponent), text});
  }
  return axis;
}

}  // namespace sextant::report
