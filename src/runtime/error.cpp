#include "sextant/runtime/error.h"

#include <algorithm>
#include <numeric>

#include "internal/runtime/utf8.h"

namespace sextant {
namespace {

/// Letters to insert, delete, replace or swap with their neighbour (optimal string alignment).
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  std::iota(d[0].begin(), d[0].end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    d[i][0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      d[i][j] = std::min({d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1), d[i][j - 1] + 1, d[i - 1][j] + 1});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

}  // namespace

Error::Error(const std::string& what) : std::runtime_error(one_line(what)) {}

std::string nearest_name(std::string_view name, const std::vector<std::string>& candidates) {
  // Half of the letters, at least two, but never all of them: "is" is not what "" or "x" was meant to be. The dashes of
  // a flag are no letters.
  const std::size_t letters = name.size() - std::min(name.size(), name.find_first_not_of('-'));
  std::string nearest;
  std::size_t best = std::min(std::max<std::size_t>(2, letters / 2) + 1, letters);
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(name, candidate);
    if (distance < best) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates) {
  const std::string nearest = nearest_name(name, candidates);
  return nearest.empty() ? "" : " Did you mean '" + nearest + "'?";
}

}  // namespace sextant
