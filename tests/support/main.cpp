#include <ATen/Context.h>
#include <c10/core/GeneratorImpl.h>
#include <gtest/gtest.h>

#include <iostream>

#include "internal/runtime/cores.h"
#include "sextant/runtime/device.h"
#include "support/golden.h"

namespace {

/// Each test draws as if it ran alone.
class Seeded : public ::testing::EmptyTestEventListener {
  void OnTestStart(const ::testing::TestInfo&) override { at::manual_seed(c10::default_rng_seed_val); }
};

/// For the report on a device: how near the results came to where they may not be.
class Measured : public ::testing::EmptyTestEventListener {
  void OnTestStart(const ::testing::TestInfo&) override { sextant::testing::take_largest_share(); }
  void OnTestEnd(const ::testing::TestInfo&) override {
    const double share = sextant::testing::take_largest_share();
    if (share > 0) ::testing::Test::RecordProperty("largest_share", std::to_string(share));
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (const std::string why = sextant::testing::why_not_golden(sextant::testing::golden_dir()); !why.empty()) {
    std::cerr << why << "\n";
    return 2;
  }
  sextant::set_cuda_arithmetic({});              // on a GPU, float32 that is float32
  at::globalContext().setBenchmarkCuDNN(false);  // every test has other shapes, and trying takes longer than they do
  sextant::share_busy_cores();                   // with the test that runs beside this one
  sextant::set_threads(0);                       // Debian's libtorch starts with one
  at::globalContext().setFlushDenormal(false);   // which that turned on; tests count on small numbers
  ::testing::InitGoogleTest(&argc, argv);
  ::testing::UnitTest::GetInstance()->listeners().Append(new Seeded);  // which owns it
  ::testing::UnitTest::GetInstance()->listeners().Append(new Measured);
  return RUN_ALL_TESTS();
}
