#include "sample/labels.h"

#include <charconv>

#include "internal/runtime/text.h"
#include "sextant/runtime/error.h"
#include "sextant/runtime/noise.h"

namespace sextant::commands {
namespace {

constexpr int64_t kMostClasses = 1'000'000;

bool parse_class(const std::string& given, int64_t& value) {
  const std::string text = trimmed(given);
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value);
  return error == std::errc{} && end == last && value >= 0 && value < kMostClasses;
}

}  // namespace

Labels::Labels(const std::string& text, const std::string& flag) : flag_(flag) {
  if (text == "random") return;
  for (const std::string& part : split(text, ',')) {
    const auto dash = part.find('-');
    int64_t first = 0;
    int64_t last = 0;
    const bool parsed = parse_class(part.substr(0, dash), first) &&
                        (dash == std::string::npos ? (last = first, true) : parse_class(part.substr(dash + 1), last));
    if (!parsed || first > last) {
      throw UsageError(flag_ + " '" + text + "': '" + part +
                       "' is no class; use random, or classes and ranges such as 3 or 0-9 or 0,3,7-9");
    }
    for (int64_t c = first; c <= last; ++c) classes_.push_back(c);
  }
}

void Labels::check(int64_t num_classes, const std::string& whose) const {
  for (const int64_t c : classes_) {
    if (c < num_classes) continue;
    throw UsageError(flag_ + ": class " + std::to_string(c) + " is not one of " + whose + ", 0-" +
                     std::to_string(num_classes - 1));
  }
}

Tensor Labels::of(const std::vector<int64_t>& samples, uint64_t seed, int64_t num_classes) const {
  if (random()) return uniform_labels(seed, samples, num_classes);
  const Tensor labels = at::empty({static_cast<int64_t>(samples.size())}, at::kLong);
  int64_t* out = labels.data_ptr<int64_t>();
  for (const int64_t sample : samples) *out++ = classes_[static_cast<std::size_t>(sample) % classes_.size()];
  return labels;
}

}  // namespace sextant::commands
