// Which batches of a run are missing: mostly long ranges, of a run of a billion samples too.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "internal/runtime/text.h"

namespace sextant::commands {

/// Numbers of batches in increasing order, held as ranges.
class BatchRanges {
 public:
  struct Range {
    int64_t begin, end;  ///< end - 1 is the last one
  };

  /// Adds begin ... end - 1, all of which are larger than what is there.
  void add(int64_t begin, int64_t end) {
    if (!ranges_.empty() && ranges_.back().end == begin) {
      ranges_.back().end = end;
    } else if (begin < end) {
      ranges_.push_back({begin, end});
    }
  }

  bool empty() const { return ranges_.empty(); }
  int64_t size() const {
    int64_t size = 0;
    for (const Range& range : ranges_) size += range.end - range.begin;
    return size;
  }
  bool has(int64_t batch) const {
    return std::any_of(ranges_.begin(), ranges_.end(),
                       [batch](const Range& range) { return range.begin <= batch && batch < range.end; });
  }

  /// Calls visit(batch) for those within begin ... end - 1 that are `first` + a multiple of `step`, until it returns
  /// false.
  template <class Visit>
  void each(int64_t begin, int64_t end, int64_t first, int64_t step, const Visit& visit) const {
    for (const Range& range : ranges_) {
      const int64_t from = std::max({range.begin, begin, first});
      const int64_t over = (from - first) % step;
      for (int64_t batch = over == 0 ? from : from + step - over; batch < std::min(range.end, end); batch += step) {
        if (!visit(batch)) return;
      }
    }
  }

  /// "2, 7, 12", at most eight of them.
  std::string first_few() const {
    constexpr std::size_t kNamed = 8;
    std::vector<std::string> names;
    if (!ranges_.empty()) {
      each(0, ranges_.back().end, 0, 1, [&](int64_t batch) {
        names.push_back(names.size() < kNamed ? std::to_string(batch) : "...");
        return names.size() <= kNamed;
      });
    }
    return joined(names, ", ");
  }

  /// Those that both hold.
  BatchRanges both(const BatchRanges& other) const {
    BatchRanges common;
    for (auto a = ranges_.begin(), b = other.ranges_.begin(); a != ranges_.end() && b != other.ranges_.end();) {
      const int64_t begin = std::max(a->begin, b->begin), end = std::min(a->end, b->end);
      if (begin < end) common.add(begin, end);
      ++(a->end < b->end ? a : b);
    }
    return common;
  }

 private:
  std::vector<Range> ranges_;
};

}  // namespace sextant::commands
