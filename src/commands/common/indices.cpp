#include "common/indices.h"

#include <charconv>

#include "internal/runtime/text.h"
#include "sextant/runtime/error.h"

namespace sextant::commands {
namespace {

constexpr int64_t kMostIndex = 1'000'000;

bool parse_index(const std::string& given, int64_t& value) {
  const std::string text = trimmed(given);
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value);
  return error == std::errc{} && end == last && value >= 0 && value < kMostIndex;
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
    if (!parsed || first > last) {
      const std::string kind = what == "class" ? "classes" : what + "s";
      throw UsageError(flag + " '" + text + "': '" + part + "' is no " + what + "; use " + other + kind +
                       " and ranges such as 3 or 0-9 or 0,3,7-9");
    }
    if (static_cast<int64_t>(indices.size()) + last - first >= kMostIndex) {
      throw UsageError(flag + ": names more than " + std::to_string(kMostIndex) + " numbers");
    }
    for (int64_t i = first; i <= last; ++i) indices.push_back(i);
  }
  return indices;
}

}  // namespace sextant::commands
