#include <ATen/Parallel.h>
#include <torch/csrc/autograd/autograd.h>

#include "internal/kernels/convolution.h"
#include "internal/kernels/linear.h"
#include "support/device.h"
#include "support/golden.h"

namespace sextant::kernels {
namespace {

using testing::Tolerance;

struct Case {
  const char* name;
  int64_t batch, in, out, kernel, size;
  ConvOptions options;
};

class Convolutions : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override { threads_ = at::get_num_threads(); }
  void TearDown() override { at::set_num_threads(threads_); }

 private:
  int threads_ = 1;
};

/// Results depend neither on the number of threads nor on the route that sizes and layouts choose.
TEST_P(Convolutions, MatchFloat64ForwardAndBackward) {
  const Case& c = GetParam();
  const ConvOptions& o = c.options;
  at::manual_seed(1);
  const Tensor x = testing::randn({c.batch, c.in, c.size, c.size});
  const Tensor weight =
      testing::randn({c.out, c.in / o.groups, c.kernel, c.kernel}) / std::sqrt(c.in * c.kernel * c.kernel);
  const Tensor bias = testing::randn({c.out});
  const Tensor exact_x = x.to(at::kDouble).requires_grad_();
  const Tensor exact =
      at::conv2d(exact_x, weight.to(at::kDouble), bias.to(at::kDouble), o.stride, o.padding, o.dilation, o.groups);
  const Tensor v = testing::randn(exact.sizes());
  const Tensor exact_gradient = torch::autograd::grad({(exact * v).sum()}, {exact_x})[0];
  for (const int threads : {1, 2}) {
    for (const auto format : {at::MemoryFormat::Contiguous, at::MemoryFormat::ChannelsLast}) {
      at::set_num_threads(threads);
      const Tensor input = x.contiguous(format).detach().requires_grad_();
      const Tensor y = frozen_conv2d(input, weight, bias, o);
      EXPECT_TENSOR_NEAR(y, exact, (Tolerance{2e-5, 0}));
      EXPECT_TENSOR_NEAR(torch::autograd::grad({(y * v).sum()}, {input})[0], exact_gradient, (Tolerance{2e-5, 0}));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, Convolutions,
                         ::testing::Values(Case{"pointwise", 2, 8, 12, 1, 5, {}},              //
                                           Case{"pointwise_strided", 1, 8, 12, 1, 6, {2, 0}},  //
                                           Case{"square", 1, 6, 10, 3, 7, {1, 1}},             //
                                           Case{"square_strided", 1, 6, 10, 3, 7, {2, 1}},     //
                                           Case{"without_padding", 1, 6, 10, 3, 7, {}},        //
                                           Case{"grouped", 2, 8, 16, 3, 6, {1, 1, 1, 4}},      //
                                           Case{"depthwise", 1, 8, 8, 7, 9, {1, 3, 1, 8}},     //
                                           Case{"dilated", 1, 6, 10, 3, 9, {1, 2, 2}},         //
                                           Case{"stem", 1, 3, 16, 7, 32, {2, 3}},              //
                                           Case{"wide_padding", 1, 6, 10, 3, 5, {1, 4}}),
                         [](const auto& info) { return info.param.name; });

TEST(Convolutions, StillTrainTheWeightsThatAskForIt) {
  const Tensor x = testing::randn({2, 3, 8, 8});
  const Tensor weight = testing::randn({4, 3, 3, 3}).requires_grad_();
  const Tensor y = frozen_conv2d(x, weight, Tensor(), {1, 1});
  EXPECT_TRUE(torch::autograd::grad({y.sum()}, {weight})[0].defined());
}

/// Kept turned weights follow the weights: changed in place, given other data, exchanged for a view of the same data.
TEST(Convolutions, KeepTurnedWeightsAsLongAsTheWeightsStayTheSame) {
  const TurnedWeight turned;
  const Tensor x = testing::randn({2, 4, 8, 8}).contiguous(at::MemoryFormat::ChannelsLast).requires_grad_();
  const auto gradient = [&](const Tensor& weight, auto&&... kept) {
    return torch::autograd::grad({frozen_conv2d(x, weight, Tensor(), {1, 1}, kept...).sum()}, {x})[0];
  };
  Tensor weight = testing::randn({4, 4, 3, 3});
  EXPECT_TRUE(gradient(weight, turned).equal(gradient(weight)));
  EXPECT_EQ(turned(weight).data_ptr(), turned(weight).data_ptr());
  weight.mul_(2);
  EXPECT_TRUE(gradient(weight, turned).equal(gradient(weight)));
  weight.set_data(testing::randn({4, 4, 3, 3}));
  EXPECT_TRUE(gradient(weight, turned).equal(gradient(weight)));
  weight = weight.transpose(0, 1);
  EXPECT_TRUE(gradient(weight, turned).equal(gradient(weight)));
}

TEST(Convolutions, RefuseChannelsThatDoNotFit) {
  EXPECT_THROW(frozen_conv2d(testing::randn({1, 4, 8, 8}), testing::randn({4, 3, 3, 3}), Tensor(), ConvOptions{}),
               c10::Error);
}

}  // namespace
}  // namespace sextant::kernels
