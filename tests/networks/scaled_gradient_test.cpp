#include "internal/networks/scaled_gradient.h"

#include <torch/csrc/autograd/autograd.h>

#include "support/golden.h"

namespace sextant::networks {
namespace {

/// A network whose gradients pass through float16: y = factor x, the factor outside of it.
Tensor through_half(const Tensor& x, double factor) { return x.to(at::kHalf).to(at::kFloat) * factor; }

Tensor product(const Tensor& y, const Tensor& x, const Tensor& v) { return torch::autograd::grad({y}, {x}, {v})[0]; }

TEST(ScaledGradient, KeepsTheDigitsThatFloat16AloneLoses) {
  const Tensor x = at::ones({1, 4}).requires_grad_();
  const Tensor v = at::tensor({1.0f, 0.37f, 0.051f, 0.0062f}).view({1, 4});
  const double factor = 3e-7;  // of a classifier at 256 x 256 pixels
  const Tensor exact = v * factor;

  const Tensor lost = product(through_half(x, factor), x, v);
  const Tensor kept = product(scaled_gradient(x, [&](const Tensor& seen) { return through_half(seen, factor); }), x, v);

  EXPECT_GT(((lost - exact).abs() / exact).max().item<double>(), 0.1);
  EXPECT_LT(((kept - exact).abs() / exact).max().item<double>(), 1e-2);        // the last is a thousandth of the first
  EXPECT_LT(((kept - exact).abs() / exact)[0][0].item<double>(), 1.0 / 1024);  // float16 has 11 bits
}

TEST(ScaledGradient, DoesNotOverflowWhereTheVectorIsLarge) {
  const Tensor x = at::ones({1, 2}).requires_grad_();
  const Tensor v = at::tensor({1e7f, 2e6f}).view({1, 2});  // float16 ends at 65504
  const Tensor g = product(scaled_gradient(x, [](const Tensor& seen) { return through_half(seen, 1); }), x, v);
  EXPECT_TENSOR_NEAR(g, v, (testing::Tolerance{0, 1.0 / 1024}));
}

TEST(ScaledGradient, ChangesNoBitInFloat32) {
  const Tensor x = at::randn({3, 5}).requires_grad_();
  const Tensor w = at::randn({5, 4});
  const Tensor v = at::randn({3, 4}) * 1e-3;
  const auto f = [&](const Tensor& seen) { return at::matmul(seen.tanh(), w).sin(); };
  EXPECT_TRUE(product(scaled_gradient(x, f), x, v).equal(product(f(x), x, v)));
}

TEST(ScaledGradient, GivesARowTheSameWhateverTheOthersAre) {
  const auto f = [](const Tensor& seen) { return through_half(seen, 1e-6); };
  const Tensor both = at::ones({2, 3}).requires_grad_();
  const Tensor one = at::ones({1, 3}).requires_grad_();
  const Tensor v = at::tensor({1e-3f, 2e-3f, 3e-3f, 5e4f, 1e4f, 0.0f}).view({2, 3});
  const Tensor together = product(scaled_gradient(both, f), both, v);
  const Tensor alone = product(scaled_gradient(one, f), one, v.narrow(0, 0, 1));
  EXPECT_TRUE(together.narrow(0, 0, 1).equal(alone));
}

TEST(ScaledGradient, IsZeroForAVectorOfZeros) {
  const Tensor x = at::ones({2, 3}).requires_grad_();
  const Tensor g =
      product(scaled_gradient(x, [](const Tensor& seen) { return through_half(seen, 1); }), x, at::zeros({2, 3}));
  EXPECT_TRUE(g.equal(at::zeros({2, 3})));
}

TEST(ScaledGradient, IsGoneThroughByNetworksInFloat16Alone) {
  class Doubles : public Network {};
  Doubles network;
  const Tensor x = at::ones({1, 3}).requires_grad_();
  const auto f = [](const Tensor& seen) { return through_half(seen, 3e-7); };
  const Tensor v = at::full({1, 3}, 0.37);
  EXPECT_TRUE(product(differentiable(network, x, f), x, v).equal(product(f(x), x, v)));
  network.to(at::kCPU, at::kHalf);
  EXPECT_TENSOR_NEAR(product(differentiable(network, x, f), x, v), v * 3e-7, (testing::Tolerance{0, 1.0 / 1024}));
}

}  // namespace
}  // namespace sextant::networks
