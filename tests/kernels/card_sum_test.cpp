// The CUDA kernels of bias, addition and activation against libtorch: their threads one after the other, on the CPU.
#include <torch/csrc/autograd/autograd.h>

#include "cuda/sum_bodies.h"
#include "support/golden.h"

namespace sextant::kernels {
namespace {

using cuda::Act;
using testing::Tolerance;

struct CardSumCase {
  const char* name;
  Act act;
  double beta;
  bool bias, residual;
};

void PrintTo(const CardSumCase& c, std::ostream* out) { *out << c.name; }

class CardSum : public ::testing::TestWithParam<std::tuple<CardSumCase, at::ScalarType>> {
 protected:
  static constexpr int64_t kRows = 15, kChannels = 24;

  CardSum() {
    at::manual_seed(2);
    const auto made = [&](at::IntArrayRef sizes) { return (4 * at::randn(sizes)).to(type_); };
    x_ = made({kRows, kChannels});
    x_[0][0] = 100;  // beyond where softplus is its argument
    dy_ = made({kRows, kChannels});
    if (c_.bias) bias_ = made({kChannels});
    if (c_.residual) residual_ = made({kRows, kChannels});
  }

  template <class T, int kWidth>
  void check() {
    const Tensor y = x_.clone(), dx = at::empty_like(x_);
    const auto data = [](const Tensor& x) { return x.defined() ? x.data_ptr<T>() : nullptr; };
    const auto beta = static_cast<float>(c_.beta);
    const cuda::Sum<T, kWidth> sum{data(y), data(bias_), data(residual_), kChannels, c_.act, beta};
    for (uint32_t i = 0; i < kRows * kChannels / kWidth; ++i) sum(i);
    const cuda::SumGradient<T, kWidth> gradient{data(dy_), data(y), data(dx), c_.act, beta};
    for (uint32_t i = 0; i < kRows * kChannels / kWidth; ++i) gradient(i);

    const Tensor wide = x_.to(at::kDouble).requires_grad_();
    Tensor right = wide;
    for (const Tensor& added : {bias_, residual_}) {
      if (added.defined()) right = right + added.to(at::kDouble);
    }
    if (c_.act == Act::kRelu) right = at::relu(right);
    if (c_.act == Act::kSoftplus) right = at::softplus(right, c_.beta, 20);
    const Tensor slope = torch::autograd::grad({right.sum()}, {wide})[0];
    const Tolerance tolerance = type_ == at::kFloat      ? Tolerance{1e-6, 1e-6}
                                : type_ == at::kBFloat16 ? Tolerance{1e-3, 8e-3}
                                                         : Tolerance{1e-3, 2e-3};
    EXPECT_TENSOR_NEAR(y, right.detach(), tolerance);
    EXPECT_TENSOR_NEAR(dx, slope * dy_.to(at::kDouble), (Tolerance{20 * tolerance.atol, tolerance.rtol}));
  }

  CardSumCase c_ = std::get<0>(GetParam());
  at::ScalarType type_ = std::get<1>(GetParam());
  Tensor x_, dy_, bias_, residual_;
};

TEST_P(CardSum, ComputesWhatLibtorchDoesInFloat64) {
  if (type_ == at::kFloat) {
    check<float, 4>();
    check<float, 1>();
  } else if (type_ == at::kBFloat16) {
    check<at::BFloat16, 8>();
    check<at::BFloat16, 1>();
  } else {
    check<at::Half, 8>();
    check<at::Half, 1>();
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, CardSum,
                         ::testing::Combine(::testing::Values(CardSumCase{"bias", Act::kNone, 0, true, false},
                                                              CardSumCase{"both", Act::kNone, 0, true, true},
                                                              CardSumCase{"relu", Act::kRelu, 0, false, true},
                                                              CardSumCase{"softplus", Act::kSoftplus, 3, true, true}),
                                            ::testing::Values(at::kFloat, at::kBFloat16, at::kHalf)),
                         [](const auto& info) {
                           const at::ScalarType type = std::get<1>(info.param);
                           return std::string(std::get<0>(info.param).name) + (type == at::kFloat      ? "_float32"
                                                                               : type == at::kBFloat16 ? "_bfloat16"
                                                                                                       : "_float16");
                         });

}  // namespace
}  // namespace sextant::kernels
