#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <c10/core/GeneratorImpl.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <thread>

#include "sextant/runtime/device.h"
#include "support/golden.h"

namespace {

/// Each test draws as if it ran alone.
class Seeded : public ::testing::EmptyTestEventListener {
  void OnTestStart(const ::testing::TestInfo&) override { at::manual_seed(c10::default_rng_seed_val); }
};

}  // namespace

int main(int argc, char** argv) {
  if (const std::string why = sextant::testing::why_not_golden(sextant::testing::golden_dir()); !why.empty()) {
    std::cerr << why << "\n";
    return 2;
  }
  sextant::set_cuda_arithmetic({});  // on a GPU, float32 that is float32
  // Debian's libtorch starts with one thread.
  at::set_num_threads(static_cast<int>(std::max(1u, std::thread::hardware_concurrency())));
  ::testing::InitGoogleTest(&argc, argv);
  ::testing::UnitTest::GetInstance()->listeners().Append(new Seeded);  // which owns it
  return RUN_ALL_TESTS();
}
