#include "common/indices.h"

#include <charconv>
#include <limits>

#include "internal/runtime/text.h"
#include "sextant/runtime/error.h"

namespace sextant::commands {
namespace {

constexpr int64_t kMostIndex = 1'000'000;

/// A number as it stands there, blanks around it left out. One of more digits than fit is the largest that fits.
bool parse_index(const std::string& given, int64_t& value) {
  const std::string text = trimmed(given);
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value);
  if (error == std::errc::result_out_of_range) value = std::numeric_limits<int64_t>::max();
  return error != std::errc::invalid_argument && end == last && text[0] != '-';
}

}  // namespace

std::vector<int64_t> parse_indices(const std::string& text, const std::string& flag, const std::string& what,
                                   const std::string& other) {
  std::vector<int64_t> indices;
  for (const std::string& part : split(text, ',')) {
    const auto dash = part.find('-');
    int64_t first = 0;
    int64_t last = 0;
    const bool parsed = parse_index(part.substr(0, dash), first) &&
                        (dash == std::string::npos ? (last = first, true) : parse_index(part.substr(dash + 1), last));
    if (!parsed) {
      const std::string kind = what == "class" ? "classes" : what + "s";
      throw UsageError(flag + " '" + text + "': '" + part + "' is no " + what + "; use " + other + kind +
                       " and ranges such as 3 or 0-9 or 0,3,7-9");
    }
    const std::string where = flag + " '" + text + "': ";
    if (first > last) throw UsageError(where + "the range " + trimmed(part) + " runs backwards");
    if (last >= kMostIndex) {
      throw UsageError(where + trimmed(part) + " is beyond " + std::to_string(kMostIndex - 1) +
                       ", the largest number of a " + what);
    }
    if (static_cast<int64_t>(indices.size()) + last - first >= kMostIndex) {
      throw UsageError(flag + ": names more than " + std::to_string(kMostIndex) + " numbers");
    }
    for (int64_t i = first; i <= last; ++i) indices.push_back(i);
  }
  return indices;
}

}  // namespace sextant::commands
