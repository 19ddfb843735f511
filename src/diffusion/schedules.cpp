#include <algorithm>
#include <cmath>
#include <numbers>

#include "sextant/diffusion/process.h"
#include "sextant/runtime/error.h"

namespace sextant::diffusion {
namespace {

/// Signal left at fraction u of the process (Nichol & Dhariwal 2021, eq. 17).
double cosine_alpha_bar(double u) {
  // A call of pow that the compiler cannot turn into a product: the two round differently at one step in some
  // thousands, and a beta, the difference of neighbouring ratios, shows it. The published schedules were made with pow.
  const volatile double square = 2;
  return std::pow(std::cos((u + 0.008) / 1.008 * std::numbers::pi / 2), square);
}

std::vector<double> linear_betas(int64_t T) {
  const double scale = 1000.0 / static_cast<double>(T);  // the same process in T steps
  const double first = scale * 0.0001;
  const double last = scale * 0.02;
  if (last > 1) {
    throw UsageError("linear schedule: needs at least 20 steps, got " + std::to_string(T) +
                     ", whose last beta would exceed 1; use the cosine schedule or respace a longer one");
  }
  std::vector<double> betas(static_cast<std::size_t>(T));
  for (int64_t t = 0; t < T; ++t) {
    betas[static_cast<std::size_t>(t)] = first + static_cast<double>(t) * ((last - first) / static_cast<double>(T - 1));
  }
  betas.back() = last;
  return betas;
}

std::vector<double> cosine_betas(int64_t T) {
  constexpr double kMaxBeta = 0.999;  // abar reaches 0 at the end: a beta of 1 would divide by it
  std::vector<double> betas(static_cast<std::size_t>(T));
  for (int64_t t = 0; t < T; ++t) {
    const double begin = cosine_alpha_bar(static_cast<double>(t) / static_cast<double>(T));
    const double end = cosine_alpha_bar(static_cast<double>(t + 1) / static_cast<double>(T));
    betas[static_cast<std::size_t>(t)] = std::min(1 - end / begin, kMaxBeta);
  }
  return betas;
}

[[noreturn]] void refuse(const std::string& sections, const std::string& why) {
  throw UsageError("respacing '" + sections + "': " + why +
                   "; use a count (250), counts per section (10,10,5) or ddimN");
}

int64_t parse_count(const std::string& text, const std::string& sections) {
  const auto first = text.find_first_not_of(' ');
  const auto last = text.find_last_not_of(' ');
  const std::string digits = first == std::string::npos ? "" : text.substr(first, last - first + 1);
  if (digits.empty() || digits.size() > 9 || digits.find_first_not_of("0123456789") != std::string::npos) {
    refuse(sections, "'" + text + "' is not a number of steps");
  }
  return std::stoll(digits);
}

std::vector<int64_t> parse_counts(const std::string& sections) {
  std::vector<int64_t> counts;
  for (std::size_t begin = 0; begin <= sections.size();) {
    const std::size_t end = std::min(sections.find(',', begin), sections.size());
    counts.push_back(parse_count(sections.substr(begin, end - begin), sections));
    begin = end + 1;
  }
  return counts;
}

std::vector<int64_t> stride_exactly(int64_t T, int64_t count, const std::string& sections) {
  for (int64_t stride = 1; stride < T; ++stride) {
    if ((T + stride - 1) / stride != count) continue;
    std::vector<int64_t> kept;
    for (int64_t t = 0; t < T; t += stride) kept.push_back(t);
    return kept;
  }
  refuse(sections, "no integer stride takes exactly " + std::to_string(count) + " of " + std::to_string(T) + " steps");
}

}  // namespace

std::vector<double> betas(BetaSchedule schedule, int64_t T) {
  if (T < 1) throw UsageError("noise schedule: needs at least 1 step, got " + std::to_string(T));
  return schedule == BetaSchedule::kLinear ? linear_betas(T) : cosine_betas(T);
}

std::vector<int64_t> space_timesteps(int64_t T, const std::string& sections) {
  if (sections.starts_with("ddim")) return stride_exactly(T, parse_count(sections.substr(4), sections), sections);

  if (sections == "last" && T > 0) return {T - 1};
  const std::vector<int64_t> counts = parse_counts(sections);
  const auto num_sections = static_cast<int64_t>(counts.size());
  std::vector<int64_t> kept;
  int64_t start = 0;
  for (int64_t s = 0; s < num_sections; ++s) {
    const int64_t count = counts[static_cast<std::size_t>(s)];
    const int64_t size = T / num_sections + (s < T % num_sections ? 1 : 0);
    if (count > size) {
      refuse(sections, "cannot take " + std::to_string(count) + " steps from a section of " + std::to_string(size));
    }
    const double stride = count <= 1 ? 1 : static_cast<double>(size - 1) / static_cast<double>(count - 1);
    // Added up, not multiplied: the published checkpoints' timesteps come from these very roundings.
    double position = 0;
    for (int64_t k = 0; k < count; ++k, position += stride) kept.push_back(start + std::llrint(position));
    start += size;
  }
  return kept;
}

Respaced respace(const std::vector<double>& betas, const std::vector<int64_t>& kept) {
  Respaced result;
  result.timestep_map = kept;
  double abar = 1;
  double last_abar = 1;
  auto next = kept.begin();
  for (std::size_t t = 0; t < betas.size() && next != kept.end(); ++t) {
    abar *= 1 - betas[t];
    if (static_cast<int64_t>(t) != *next) continue;
    result.betas.push_back(1 - abar / last_abar);
    last_abar = abar;
    ++next;
  }
  if (next != kept.end()) {
    throw UsageError("respace: timestep " + std::to_string(*next) + " is not in [0, " + std::to_string(betas.size()) +
                     ") or out of order; give ascending timesteps");
  }
  return result;
}

}  // namespace sextant::diffusion
