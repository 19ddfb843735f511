#include "internal/kernels/activation.h"

#include <torch/csrc/autograd/autograd.h>

#include <tuple>

#include "support/device.h"
#include "support/golden.h"

namespace sextant::kernels {
namespace {

using testing::Tolerance;

Tensor gradient_of(const Tensor& y, const Tensor& x, const Tensor& weights) {
  return torch::autograd::grad({(y * weights).sum()}, {x})[0];
}

/// softplus and its slope by the formulas, in float64.
Tensor reference(const Tensor& x, double beta) {
  return beta > 0 ? at::softplus(x.to(at::kDouble), beta, 1e9) : at::relu(x.to(at::kDouble));
}
Tensor reference_slope(const Tensor& x, double beta) {
  return beta > 0 ? at::sigmoid(beta * x.to(at::kDouble)) : (x > 0).to(at::kDouble);
}

class Activation : public ::testing::TestWithParam<std::tuple<double, at::ScalarType, at::MemoryFormat>> {
 protected:
  double beta() const { return std::get<0>(GetParam()); }
  Tensor numbers(int64_t seed) const {
    at::manual_seed(seed);
    return (8 * testing::randn({3, 5, 7, 9})).to(std::get<1>(GetParam())).contiguous(std::get<2>(GetParam()));
  }
  Tolerance tolerance() const {
    return std::get<1>(GetParam()) == at::kBFloat16 ? Tolerance{1e-6, 8e-3} : Tolerance{1e-6, 1e-6};
  }
};

TEST(SoftplusGolden, ValuesAndSlopesAreTheReferences) {
  for (const auto& path : testing::golden_files("math/samplers", "softplus")) {
    const testing::Golden golden(path);
    const std::vector<double> betas = golden.config().at("betas");
    ASSERT_FALSE(betas.empty());
    for (std::size_t i = 0; i < betas.size(); ++i) {
      SCOPED_TRACE(betas[i]);
      const std::string number = std::to_string(i);
      for (const auto type : {at::kDouble, at::kFloat}) {
        const Tolerance tolerance = type == at::kDouble ? golden.tolerance() : Tolerance{1e-6, 1e-6};
        const Tensor x = golden["input/x"].to(type).requires_grad_();
        const Tensor y = activate(x * 1, betas[i]);
        EXPECT_TENSOR_NEAR(y, golden["output/value_" + number], tolerance);
        EXPECT_TENSOR_NEAR(gradient_of(y, x, at::ones_like(x)), golden["output/grad_" + number], tolerance);
      }
    }
  }
}

TEST_P(Activation, MatchesItsFormulaAndSlope) {
  const Tensor x = numbers(1).requires_grad_();
  const Tensor weights = numbers(2);
  const Tensor y = activate(x * 1, beta());
  EXPECT_TENSOR_NEAR(y, reference(x, beta()), tolerance());
  EXPECT_EQ(y.scalar_type(), x.scalar_type());
  EXPECT_TENSOR_NEAR(gradient_of(y, x, weights), reference_slope(x, beta()) * weights, tolerance());
}

TEST_P(Activation, OfASumReachesBothSummands) {
  const Tensor a = numbers(1).requires_grad_();
  const Tensor b = numbers(2).requires_grad_();
  const Tensor weights = numbers(3);
  const Tensor kept = b.detach().clone();
  const Tensor y = add_activate(a * 1, b, beta());
  EXPECT_TRUE(at::equal(b.detach(), kept));
  const Tensor sum = a.detach().to(at::kDouble) + b.detach().to(at::kDouble);
  EXPECT_TENSOR_NEAR(y, reference(sum, beta()), tolerance());
  const auto gradients = torch::autograd::grad({(y * weights).sum()}, {a, b});
  for (const Tensor& gradient : gradients) {
    EXPECT_TENSOR_NEAR(gradient, reference_slope(sum, beta()) * weights, tolerance());
  }
}

TEST_P(Activation, LeavesALeafOfTheGraphAlone) {
  const Tensor x = numbers(1).requires_grad_();
  const Tensor kept = x.detach().clone();
  activate(x, beta());
  EXPECT_TRUE(at::equal(x.detach(), kept));
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, Activation,
    ::testing::Combine(::testing::Values(0.0, 1.0, 3.0, 5.0), ::testing::Values(at::kFloat, at::kDouble, at::kBFloat16),
                       ::testing::Values(at::MemoryFormat::Contiguous, at::MemoryFormat::ChannelsLast)));

TEST(ActivationInFloat32, IsAccurateRelativeToItsOwnSizeOnBothSides) {
  // e^u inherits the rounding of u = beta x, at most 78 here, as a relative error.
  const Tensor x = at::linspace(-26, 26, 4001).requires_grad_();
  const Tensor y = activate(x * 1, 3);
  EXPECT_TENSOR_NEAR(y, reference(x, 3), (Tolerance{0, 6e-6}));
  EXPECT_TENSOR_NEAR(gradient_of(y, x, at::ones_like(x)), reference_slope(x, 3), (Tolerance{0, 6e-6}));
}

TEST(ActivationInFloat32, NeverMakesDenormalNumbers) {
  const Tensor y = activate(at::linspace(-60, 0, 4001), 3);
  const Tensor denormal = (y != 0).logical_and(y.abs() < std::numeric_limits<float>::min());
  EXPECT_FALSE(denormal.any().item<bool>());
}

TEST(ActivationInFloat32, HandsOnNanAndInfinity) {
  const float infinity = std::numeric_limits<float>::infinity();
  for (const double beta : {0.0, 3.0}) {
    const Tensor y = activate(at::tensor({NAN, infinity, -infinity}), beta);
    EXPECT_TRUE(std::isnan(y[0].item<float>()));
    EXPECT_EQ(y[1].item<float>(), infinity);
    EXPECT_EQ(y[2].item<float>(), 0);
  }
}

TEST(Activation, AcceptsStridesThatLeaveGapsOrDiffer) {
  const Tensor wide = testing::randn({4, 6, 8, 8});
  const Tensor gaps = wide.slice(3, 0, 8, 2);
  EXPECT_TENSOR_NEAR(activate(gaps, 3), reference(gaps, 3), (Tolerance{1e-6, 1e-6}));
  const Tensor other = testing::randn({4, 6, 8, 8}).contiguous(at::MemoryFormat::ChannelsLast);
  EXPECT_TENSOR_NEAR(add_activate(wide.clone(), other, 3), reference(wide + other, 3), (Tolerance{1e-6, 1e-6}));
}

}  // namespace
}  // namespace sextant::kernels
