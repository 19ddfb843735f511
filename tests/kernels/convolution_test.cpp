#include "internal/kernels/convolution.h"

#include <torch/csrc/autograd/autograd.h>

#include "sextant/runtime/error.h"
#include "support/device.h"
#include "support/golden.h"

namespace sextant::kernels {
namespace {

using testing::Tolerance;

struct ConvolutionCase {
  const char* name;
  int64_t batch;
  std::vector<int64_t> parts;
  int64_t out, height, width, kernel, stride;
  bool residual;
};

void PrintTo(const ConvolutionCase& c, std::ostream* out) { *out << c.name; }

class LaidOutConvolution : public ::testing::TestWithParam<std::tuple<ConvolutionCase, at::ScalarType>> {
 protected:
  LaidOutConvolution() {
    at::manual_seed(1);
    const ConvolutionCase& c = std::get<0>(GetParam());
    int64_t in = 0;
    for (const int64_t part : c.parts) {
      x_.push_back(testing::randn({c.batch, part, c.height, c.width}).to(type()));
      in += part;
    }
    weight_ = (testing::randn({c.out, in, c.kernel, c.kernel}) / std::sqrt(in * c.kernel * c.kernel)).to(type());
    bias_ = testing::randn({c.out}).to(type());
    convolution_ = Convolution(weight_, bias_, c.stride, c.kernel / 2);
    if (c.residual) residual_ = testing::randn({c.batch, c.out, c.height, c.width}).to(type());
  }

  at::ScalarType type() const { return std::get<1>(GetParam()); }

  Tensor expected() const {
    std::vector<Tensor> x;
    for (const Tensor& part : x_) x.push_back(part.to(at::kDouble));
    const ConvolutionCase& c = std::get<0>(GetParam());
    const Tensor y = at::conv2d(at::cat(x, 1), weight_.to(at::kDouble), bias_.to(at::kDouble), c.stride, c.kernel / 2);
    return residual_.defined() ? y + residual_ : y;
  }

  Tolerance tolerance() const { return type() == at::kFloat ? Tolerance{1.2e-5, 2e-6} : Tolerance{4e-2, 1e-2}; }

  std::vector<Tensor> x_;
  Tensor weight_, bias_, residual_;
  Convolution convolution_;
};

TEST_P(LaidOutConvolution, MatchesFloat64) {
  const ConvolutionCase& c = std::get<0>(GetParam());
  EXPECT_TENSOR_NEAR(convolution_(x_, residual_), expected(), tolerance());
  convolution_.lay_out(c.height, c.width, c.parts);
  EXPECT_TENSOR_NEAR(convolution_(x_, residual_), expected(), tolerance());
}

TEST_P(LaidOutConvolution, GivesAnImageTheSameResultInEveryBatch) {
  const ConvolutionCase& c = std::get<0>(GetParam());
  convolution_.lay_out(c.height, c.width, c.parts);
  std::vector<Tensor> first;
  for (const Tensor& part : x_) first.push_back(part.narrow(0, 0, 1));
  const Tensor residual = residual_.defined() ? residual_.narrow(0, 0, 1) : residual_;
  EXPECT_TENSOR_NEAR(convolution_(x_, residual_).narrow(0, 0, 1), convolution_(first, residual), (Tolerance{5e-6, 0}));
}

TEST_P(LaidOutConvolution, CarriesGradientsToImagesAndResidual) {
  const ConvolutionCase& c = std::get<0>(GetParam());
  convolution_.lay_out(c.height, c.width, c.parts, true);
  std::vector<Tensor> inputs, exact_inputs, exact_x;
  for (const Tensor& part : x_) inputs.push_back(part.clone().requires_grad_());
  const std::vector<Tensor> x = inputs;
  Tensor residual;
  if (residual_.defined()) inputs.push_back(residual = residual_.clone().requires_grad_());
  for (const Tensor& input : inputs) exact_inputs.push_back(input.detach().to(at::kDouble).requires_grad_());
  exact_x.assign(exact_inputs.begin(), exact_inputs.begin() + static_cast<std::ptrdiff_t>(x.size()));
  Tensor exact =
      at::conv2d(at::cat(exact_x, 1), weight_.to(at::kDouble), bias_.to(at::kDouble), c.stride, c.kernel / 2);
  if (residual.defined()) exact = exact + exact_inputs.back();
  const Tensor y = convolution_(x, residual);
  const Tensor v = testing::randn(y.sizes());
  const auto gradient = torch::autograd::grad({y}, inputs, {v.to(y.scalar_type())});
  const auto exact_gradient = torch::autograd::grad({exact}, exact_inputs, {v.to(at::kDouble)});
  for (std::size_t i = 0; i < inputs.size(); ++i) EXPECT_TENSOR_NEAR(gradient[i], exact_gradient[i], tolerance());
}

TEST_P(LaidOutConvolution, NoticesThatItsWeightsChanged) {
  const ConvolutionCase& c = std::get<0>(GetParam());
  convolution_.lay_out(c.height, c.width, c.parts);
  weight_.neg_();
  EXPECT_TENSOR_NEAR(convolution_(x_, residual_), expected(), tolerance());
  weight_.set_data(weight_.detach() * 0.5);
  EXPECT_TENSOR_NEAR(convolution_(x_, residual_), expected(), tolerance());
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, LaidOutConvolution,
    ::testing::Combine(::testing::Values(ConvolutionCase{"square", 2, {32}, 48, 8, 8, 3, 1, false},
                                         ConvolutionCase{"square_residual", 3, {64}, 64, 14, 14, 3, 1, true},
                                         ConvolutionCase{"square_odd", 5, {16}, 32, 7, 5, 3, 1, true},
                                         ConvolutionCase{"square_wide", 1, {80}, 112, 20, 12, 3, 1, true},
                                         ConvolutionCase{"square_deep", 1, {320}, 256, 6, 6, 3, 1, false},
                                         ConvolutionCase{"square_joined", 2, {32, 16}, 32, 6, 6, 3, 1, false},
                                         ConvolutionCase{"pixel", 2, {48}, 32, 1, 1, 3, 1, false},
                                         ConvolutionCase{"stem", 2, {1}, 64, 9, 9, 3, 1, false},
                                         ConvolutionCase{"last", 2, {64}, 6, 8, 8, 3, 1, false},
                                         ConvolutionCase{"strided", 2, {32}, 32, 8, 8, 3, 2, false},
                                         ConvolutionCase{"point", 2, {64}, 192, 7, 7, 1, 1, false},
                                         ConvolutionCase{"point_residual", 1, {96}, 40, 9, 9, 1, 1, true},
                                         ConvolutionCase{"point_joined", 3, {64, 48}, 64, 10, 10, 1, 1, true},
                                         ConvolutionCase{"point_ragged", 2, {7, 5}, 11, 3, 4, 1, 1, true}),
                       ::testing::Values(at::kFloat, at::kBFloat16)),
    [](const auto& info) {
      return std::string(std::get<0>(info.param).name) +
             (std::get<1>(info.param) == at::kFloat ? "_float32" : "_bfloat16");
    });

TEST(LaidOutConvolution, StillTrainsItsWeights) {
  const Tensor weight = testing::randn({32, 32, 3, 3});
  Convolution convolution(weight, testing::zeros({32}), 1, 1);
  convolution.lay_out(16, 16, {}, true);
  weight.requires_grad_();
  const Tensor y = convolution(testing::randn({1, 32, 16, 16}));
  EXPECT_TRUE(torch::autograd::grad({y.sum()}, {weight})[0].defined());
}

TEST(LaidOutConvolution, RefusesShapesThatDoNotFit) {
  Convolution convolution(testing::randn({32, 32, 3, 3}), testing::zeros({32}), 1, 1);
  convolution.lay_out(16, 16);
  EXPECT_THROW(convolution(testing::randn({1, 16, 16, 16})), ShapeError);
  EXPECT_THROW(convolution(testing::randn({1, 32, 16, 16}), testing::randn({1, 32, 8, 8})), ShapeError);
}

}  // namespace
}  // namespace sextant::kernels
