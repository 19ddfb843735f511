// GCC's coverage for libFuzzer, which itself understands that of clang: a counter for each edge, by a hash of its
// place.
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace {

constexpr std::size_t kBits = 17;

/// libFuzzer reads and clears all that lies in this section.
__attribute__((section("__libfuzzer_extra_counters"))) uint8_t counters[std::size_t{1} << kBits];
bool ever[std::size_t{1} << kBits];

void print() {
  long edges = 0;
  for (const bool one : ever) edges += one ? 1 : 0;
  std::fprintf(stderr, "edges: %ld\n", edges);
}

[[maybe_unused]] const int registered = std::atexit(print);

}  // namespace

extern "C" void __sanitizer_cov_trace_pc();
extern "C" void __sanitizer_cov_trace_pc() {
  const auto place = reinterpret_cast<std::uintptr_t>(__builtin_return_address(0));
  const std::size_t slot = place * 0x9e3779b97f4a7c15 >> (64 - kBits);
  ever[slot] = true;
  if (counters[slot] != UINT8_MAX) ++counters[slot];
}
