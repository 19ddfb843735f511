// The convolutions of Inception-v3 (Szegedy et al. 2016), a table.
#include "inception/network.h"

namespace sextant::networks::inception {

static constexpr double kBatchNormEps = 1e-3;

void Inception::unit(const std::string& name, int64_t in, int64_t out, std::array<int64_t, 2> kernel, int64_t stride,
                     std::array<int64_t, 2> padding) {
  const Scope scope = Scope(parameters_) / name;
  Unit unit;
  unit.weight = (scope / "conv").weight("weight", {out, in, kernel[0], kernel[1]});
  unit.norm = BatchNorm2d(scope / "bn", out, kBatchNormEps);
  unit.stride = stride;
  unit.rows = padding[0];
  unit.columns = padding[1];
  units_.emplace(name, unit);
}

void Inception::declare() {
  const auto square = [this](const std::string& name, int64_t in, int64_t out, int64_t kernel, int64_t stride = 1,
                             int64_t padding = 0) {
    unit(name, in, out, {kernel, kernel}, stride, {padding, padding});
  };
  const auto row = [this](const std::string& name, int64_t in, int64_t out, int64_t length) {
    unit(name, in, out, {1, length}, 1, {0, length / 2});
  };
  const auto column = [this](const std::string& name, int64_t in, int64_t out, int64_t length) {
    unit(name, in, out, {length, 1}, 1, {length / 2, 0});
  };

  square("Conv2d_1a_3x3", 3, 32, 3, 2);
  square("Conv2d_2a_3x3", 32, 32, 3);
  square("Conv2d_2b_3x3", 32, 64, 3, 1, 1);
  square("Conv2d_3b_1x1", 64, 80, 1);
  square("Conv2d_4a_3x3", 80, 192, 3);

  const auto block_a = [&](const std::string& block, int64_t in, int64_t pooled) {
    square(block + ".branch1x1", in, 64, 1);
    square(block + ".branch5x5_1", in, 48, 1);
    square(block + ".branch5x5_2", 48, 64, 5, 1, 2);
    square(block + ".branch3x3dbl_1", in, 64, 1);
    square(block + ".branch3x3dbl_2", 64, 96, 3, 1, 1);
    square(block + ".branch3x3dbl_3", 96, 96, 3, 1, 1);
    square(block + ".branch_pool", in, pooled, 1);
  };
  block_a("Mixed_5b", 192, 32);
  block_a("Mixed_5c", 256, 64);
  block_a("Mixed_5d", 288, 64);

  square("Mixed_6a.branch3x3", 288, 384, 3, 2);
  square("Mixed_6a.branch3x3dbl_1", 288, 64, 1);
  square("Mixed_6a.branch3x3dbl_2", 64, 96, 3, 1, 1);
  square("Mixed_6a.branch3x3dbl_3", 96, 96, 3, 2);

  const auto block_c = [&](const std::string& block, int64_t inner) {
    square(block + ".branch1x1", 768, 192, 1);
    square(block + ".branch7x7_1", 768, inner, 1);
    row(block + ".branch7x7_2", inner, inner, 7);
    column(block + ".branch7x7_3", inner, 192, 7);
    square(block + ".branch7x7dbl_1", 768, inner, 1);
    column(block + ".branch7x7dbl_2", inner, inner, 7);
    row(block + ".branch7x7dbl_3", inner, inner, 7);
    column(block + ".branch7x7dbl_4", inner, inner, 7);
    row(block + ".branch7x7dbl_5", inner, 192, 7);
    square(block + ".branch_pool", 768, 192, 1);
  };
  block_c("Mixed_6b", 128);
  block_c("Mixed_6c", 160);
  block_c("Mixed_6d", 160);
  block_c("Mixed_6e", 192);

  square("Mixed_7a.branch3x3_1", 768, 192, 1);
  square("Mixed_7a.branch3x3_2", 192, 320, 3, 2);
  square("Mixed_7a.branch7x7x3_1", 768, 192, 1);
  row("Mixed_7a.branch7x7x3_2", 192, 192, 7);
  column("Mixed_7a.branch7x7x3_3", 192, 192, 7);
  square("Mixed_7a.branch7x7x3_4", 192, 192, 3, 2);

  const auto block_e = [&](const std::string& block, int64_t in) {
    square(block + ".branch1x1", in, 320, 1);
    square(block + ".branch3x3_1", in, 384, 1);
    row(block + ".branch3x3_2a", 384, 384, 3);
    column(block + ".branch3x3_2b", 384, 384, 3);
    square(block + ".branch3x3dbl_1", in, 448, 1);
    square(block + ".branch3x3dbl_2", 448, 384, 3, 1, 1);
    row(block + ".branch3x3dbl_3a", 384, 384, 3);
    column(block + ".branch3x3dbl_3b", 384, 384, 3);
    square(block + ".branch_pool", in, 192, 1);
  };
  block_e("Mixed_7b", 1280);
  block_e("Mixed_7c", 2048);
}

}  // namespace sextant::networks::inception
