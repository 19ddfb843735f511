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

/// A sign of its own: a hyphen is too short beside digits.
std::string with_minus(const std::string& digits) { return digits[0] == '-' ? "−" + digits.substr(1) : digits; }

/// 10 to the power of `exponent`, written with small raised digits.
std::string power_of_ten(int exponent) {
  static constexpr const char* kRaised[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  std::string text = exponent < 0 ? "10⁻" : "10";
  for (const char digit : std::to_string(std::abs(exponent))) text += kRaised[digit - '0'];
  return text;
}

std::string decimal(double value, int digits) {
  char text[400];  // the largest double has 309 digits before the point
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return with_minus(text);
}

int exponent_of(double value) { return static_cast<int>(std::floor(std::log10(std::abs(value)) + 1e-9)); }

/// As many digits as tell two ticks apart; `largest` is the largest number on the axis.
std::string label_of(double value, double step, double largest) {
  if (std::abs(value) < step / 2) value = 0;
  if (largest < 1e6 && step >= 1e-4) return decimal(value, std::max(0, -exponent_of(step)));
  if (value == 0) return "0";
  const int exponent = exponent_of(largest);
  const int digits = std::clamp(exponent - exponent_of(step), 0, 15);
  return decimal(value / std::pow(10, exponent), digits) + "×" + power_of_ten(exponent);
}

/// 1, 2 or 5 times a power of ten.
std::string log_label(int factor, int exponent) {
  if (exponent >= -3 && exponent <= 4) return decimal(factor * std::pow(10, exponent), std::max(0, -exponent));
  return factor == 1 ? power_of_ten(exponent) : std::to_string(factor) + "×" + power_of_ten(exponent);
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
    axis.ticks.push_back({k * step, label_of(k * step, step, std::max(std::abs(axis.low), std::abs(axis.high)))});
  }
}

}  // namespace

bool Axis::shows(double value) const { return std::abs(value) <= 1e300 && (!log || value >= 1e-300); }

double Axis::place(double value) const {
  const double place =
      log ? (std::log(value) - std::log(low)) / (std::log(high) - std::log(low)) : (value - low) / (high - low);
  return falls ? 1 - place : place;
}

Axis linear_axis(double low, double high, int count) {
  widen(low, high);
  Axis axis{low, high};
  add_ticks(axis, round_step(high - low, count));
  return axis;
}

Axis rounded_axis(double low, double high, int count) {
  widen(low, high);
  const double step = round_step(high - low, count);
  Axis axis{step * std::floor(low / step + 1e-9), step * std::ceil(high / step - 1e-9)};
  add_ticks(axis, step);
  return axis;
}

Axis log_axis(double low, double high) {
  const bool narrow = std::log10(high) - std::log10(low) < 2.3;
  const std::vector<int> factors = narrow ? std::vector<int>{1, 2, 5} : std::vector<int>{1};
  struct Candidate {
    int factor, exponent;
    double value;
  };
  std::vector<Candidate> candidates;
  for (int exponent = exponent_of(low) - 1; exponent <= exponent_of(high) + 1; ++exponent) {
    for (const int factor : factors) candidates.push_back({factor, exponent, factor * std::pow(10, exponent)});
  }
  std::size_t first = 0, last = candidates.size() - 1;
  while (candidates[first + 1].value <= low * (1 + 1e-9)) ++first;
  while (candidates[last - 1].value >= high * (1 - 1e-9)) --last;
  if (first == last) ++last;
  Axis axis{candidates[first].value, candidates[last].value, true};
  const std::size_t stride = narrow ? 1 : (last - first + 7) / 8;
  for (std::size_t i = first; i <= last; i += stride) {
    axis.ticks.push_back({candidates[i].value, log_label(candidates[i].factor, candidates[i].exponent)});
  }
  return axis;
}

}  // namespace sextant::report
