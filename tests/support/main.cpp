#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <iostream>
#include <thread>

#include "support/golden.h"

int main(int argc, char** argv) {
  if (const std::string why = sextant::testing::why_not_golden(sextant::testing::golden_dir()); !why.empty()) {
    std::cerr << why << "\n";
    return 2;
  }
  // Debian's libtorch starts with one thread.
  at::set_num_threads(static_cast<int>(std::max(1u, std::thread::hardware_concurrency())));
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
