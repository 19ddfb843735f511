#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include "internal/kernels/norm.h"
#include "sextant/runtime/error.h"
#include "support/device.h"
#include "support/golden.h"

namespace sextant::kernels {
namespace {

using testing::Tolerance;

struct GroupNormCase {
  const char* name;
  int64_t batch;
  std::vector<int64_t> parts;  ///< channels
  int64_t groups, height, width;
  bool scale_shift, added, silu;
  Resampling resampling;
};

void PrintTo(const GroupNormCase& c, std::ostream* out) { *out << c.name; }

class FusedGroupNorm : public ::testing::TestWithParam<std::tuple<GroupNormCase, at::ScalarType>> {
 protected:
  FusedGroupNorm() {
    at::manual_seed(1);
    const GroupNormCase& c = std::get<0>(GetParam());
    int64_t channels = 0;
    for (const int64_t part : c.parts) {
      x_.push_back((2 * testing::randn({c.batch, part, c.height, c.width}) + 3).to(std::get<1>(GetParam())));
      channels += part;
    }
    norm_.groups = c.groups;
    norm_.weight = testing::randn({channels});
    norm_.bias = testing::randn({channels});
    if (c.scale_shift) {
      const Tensor both = testing::randn({c.batch, 2 * channels});
      norm_.scale = both.narrow(1, 0, channels);
      norm_.shift = both.narrow(1, channels, channels);
    }
    if (c.added) norm_.added = 5 * testing::randn({c.batch, channels});
    norm_.silu = c.silu;
    norm_.resampling = c.resampling;
  }

  /// The plain twin in float64.
  Tensor expected() const {
    std::vector<Tensor> x;
    for (const Tensor& part : x_) x.push_back(part.to(at::kDouble));
    GroupNorm norm = norm_;
    for (Tensor* tensor : {&norm.weight, &norm.bias, &norm.added, &norm.scale, &norm.shift}) {
      if (tensor->defined()) *tensor = tensor->to(at::kDouble);
    }
    return group_norm_plain(x, norm);
  }

  Tolerance tolerance() const {
    return std::get<1>(GetParam()) == at::kFloat ? Tolerance{4e-6, 2e-6} : Tolerance{1e-3, 5e-3};
  }

  std::vector<Tensor> x_;
  GroupNorm norm_;
};

TEST_P(FusedGroupNorm, MatchesItsPlainTwinInFloat64) {
  const Tensor y = group_norm(x_, norm_);
  EXPECT_EQ(y.scalar_type(), std::get<1>(GetParam()));
  EXPECT_TENSOR_NEAR(y, expected(), tolerance());
  EXPECT_TENSOR_NEAR(group_norm_plain(x_, norm_), expected(), tolerance());
}

TEST_P(FusedGroupNorm, GivesAnImageTheSameResultInEveryBatch) {
  std::vector<Tensor> last;
  for (const Tensor& part : x_) last.push_back(part.narrow(0, part.size(0) - 1, 1));
  GroupNorm norm = norm_;
  for (Tensor* tensor : {&norm.added, &norm.scale, &norm.shift}) {
    if (tensor->defined()) *tensor = tensor->narrow(0, tensor->size(0) - 1, 1);
  }
  const Tensor together = group_norm(x_, norm_);
  EXPECT_TENSOR_NEAR(together.narrow(0, together.size(0) - 1, 1), group_norm(last, norm), tolerance());
}

TEST_P(FusedGroupNorm, CarriesTheGradientOfItsPlainTwin) {
  std::vector<Tensor> x, exact_x;
  for (const Tensor& part : x_) {
    x.push_back(part.clone().requires_grad_());
    exact_x.push_back(part.to(at::kDouble).requires_grad_());
  }
  GroupNorm norm = norm_, exact = norm_;
  for (Tensor GroupNorm::*tensor :
       {&GroupNorm::weight, &GroupNorm::bias, &GroupNorm::added, &GroupNorm::scale, &GroupNorm::shift}) {
    if (!(norm_.*tensor).defined()) continue;
    x.push_back(norm.*tensor = (norm_.*tensor).clone().requires_grad_());
    exact_x.push_back(exact.*tensor = (norm_.*tensor).to(at::kDouble).requires_grad_());
  }
  const auto images = [&](const std::vector<Tensor>& all) {
    return std::vector<Tensor>(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(x_.size()));
  };
  const Tensor expected = group_norm_plain(images(exact_x), exact);
  const Tensor y = group_norm(images(x), norm);
  EXPECT_TENSOR_NEAR(y, expected, tolerance());
  const Tensor v = testing::randn(y.sizes());
  const auto gradient = torch::autograd::grad({y}, x, {v.to(y.scalar_type())});
  const auto exact_gradient = torch::autograd::grad({expected}, exact_x, {v.to(at::kDouble)});
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double size = exact_gradient[i].abs().max().item<double>();
    const Tolerance near = y.scalar_type() == at::kFloat ? Tolerance{1e-5 * size, 0} : Tolerance{3e-2 * size, 0};
    EXPECT_TENSOR_NEAR(gradient[i], exact_gradient[i], near) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, FusedGroupNorm,
    ::testing::Combine(
        ::testing::Values(GroupNormCase{"one", 1, {32}, 32, 5, 7, false, false, false, Resampling::kKeep},
                          GroupNormCase{"silu", 4, {64}, 32, 8, 8, false, false, true, Resampling::kKeep},
                          GroupNormCase{"modulated", 3, {96}, 32, 9, 6, true, false, true, Resampling::kKeep},
                          GroupNormCase{"added", 2, {64}, 16, 4, 4, false, true, true, Resampling::kKeep},
                          GroupNormCase{"both", 2, {64}, 16, 4, 4, true, true, false, Resampling::kKeep},
                          GroupNormCase{"joined", 3, {32, 64}, 32, 6, 6, true, false, true, Resampling::kKeep},
                          GroupNormCase{"straddling", 8, {40, 56}, 8, 6, 6, false, false, true, Resampling::kKeep},
                          GroupNormCase{"ragged", 2, {5, 13}, 3, 7, 5, true, true, true, Resampling::kKeep},
                          GroupNormCase{"halved", 4, {64}, 32, 8, 6, false, false, true, Resampling::kHalve},
                          GroupNormCase{"halved_odd", 1, {20}, 4, 7, 5, false, false, true, Resampling::kHalve},
                          GroupNormCase{"doubled", 3, {32, 36}, 4, 3, 5, true, false, true, Resampling::kDouble},
                          GroupNormCase{"large", 1, {64}, 32, 40, 40, false, false, true, Resampling::kKeep}),
        ::testing::Values(at::kFloat, at::kBFloat16)),
    [](const auto& info) {
      return std::string(std::get<0>(info.param).name) +
             (std::get<1>(info.param) == at::kFloat ? "_float32" : "_bfloat16");
    });

TEST(FusedGroupNorm, KeepsItsAccuracyWhenTheMeanIsFarLargerThanTheSpread) {
  const Tensor x = 1000 + testing::randn({2, 32, 16, 16});
  GroupNorm norm;
  norm.weight = testing::ones({32});
  norm.bias = testing::zeros({32});
  const Tensor exact = at::group_norm(x.to(at::kDouble), 32, norm.weight.to(at::kDouble), norm.bias.to(at::kDouble));
  // The input itself has an ulp of 6e-5 here; the sum of its squares would have one of 16.
  EXPECT_TENSOR_NEAR(group_norm(x, norm), exact, (Tolerance{2e-4, 0}));
}

TEST(FusedGroupNorm, HandsOnNan) {
  Tensor x = testing::randn({1, 32, 4, 4});
  x[0][3][2][1] = NAN;
  GroupNorm norm;
  norm.weight = testing::ones({32});
  norm.bias = testing::zeros({32});
  norm.silu = true;
  const Tensor y = group_norm(x, norm);
  EXPECT_TRUE(at::isnan(y[0][3]).all().item<bool>());
  EXPECT_TRUE(at::isfinite(y[0][4]).all().item<bool>());
}

TEST(FusedGroupNorm, TrainsItsWeights) {
  GroupNorm norm;
  norm.weight = testing::ones({32}).requires_grad_();
  norm.bias = testing::zeros({32});
  const Tensor y = group_norm(testing::randn({1, 32, 4, 4}), norm);
  EXPECT_TRUE(torch::autograd::grad({y.square().sum()}, {norm.weight})[0].defined());
  const at::NoGradGuard no_grad;
  EXPECT_FALSE(group_norm(testing::randn({1, 32, 4, 4}), norm).requires_grad());
}

TEST(FusedGroupNorm, RefusesShapesThatDoNotFit) {
  GroupNorm norm;
  norm.weight = testing::ones({32});
  norm.bias = testing::zeros({32});
  EXPECT_THROW(group_norm(testing::randn({1, 48, 4, 4}), norm), ShapeError);
  norm.added = testing::zeros({2, 32});
  EXPECT_THROW(group_norm(testing::randn({1, 32, 4, 4}), norm), ShapeError);
}

TEST(Resample, HalvesAndDoublesAsLibtorchDoes) {
  for (const auto type : {at::kFloat, at::kBFloat16}) {
    const Tensor x = testing::randn({2, 20, 6, 10}).to(type);
    const Tolerance tolerance = type == at::kFloat ? Tolerance{1e-6, 0} : Tolerance{0, 8e-3};
    EXPECT_TENSOR_NEAR(resample(x, Resampling::kHalve), at::avg_pool2d(x.to(at::kDouble), 2), tolerance);
    EXPECT_TENSOR_NEAR(resample(x, Resampling::kDouble), at::upsample_nearest2d(x, {12, 20}), (Tolerance{0, 0}));
    EXPECT_TENSOR_NEAR(resample(x, Resampling::kKeep), x, (Tolerance{0, 0}));
  }
}

}  // namespace
}  // namespace sextant::kernels
