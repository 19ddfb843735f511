#include "internal/kernels/attention.h"

#include <torch/csrc/autograd/autograd.h>

#include "internal/kernels/linear.h"
#include "sextant/runtime/error.h"
#include "support/device.h"
#include "support/golden.h"

namespace sextant::kernels {
namespace {

using testing::Tolerance;

struct AttentionCase {
  const char* name;
  int64_t batch, heads, queries, keys, depth;
};

void PrintTo(const AttentionCase& c, std::ostream* out) { *out << c.name; }

class FusedAttention : public ::testing::TestWithParam<std::tuple<AttentionCase, at::ScalarType>> {};

TEST_P(FusedAttention, MatchesItsPlainTwinInFloat64) {
  const auto& [c, type] = GetParam();
  at::manual_seed(1);
  const auto random = [&, heads = c.heads, depth = c.depth, batch = c.batch, dtype = type](int64_t tokens) {
    return testing::randn({batch, tokens, heads, depth}).to(dtype).transpose(1, 2);
  };
  const Tensor q = 2 * random(c.queries), k = random(c.keys), v = random(c.keys);
  const double scale = 1 / std::sqrt(static_cast<double>(c.depth));
  const Tensor expected = attention_plain(q.to(at::kDouble), k.to(at::kDouble), v.to(at::kDouble), scale);
  const Tolerance tolerance = type == at::kFloat ? Tolerance{2e-6, 2e-6} : Tolerance{2e-3, 8e-3};
  const Tensor y = attention(q, k, v, scale);
  EXPECT_EQ(y.scalar_type(), type);
  EXPECT_TENSOR_NEAR(y, expected, tolerance);
  // Older libtorch rounds the scores to bfloat16 too, and adds up in it where the processor has no instructions for it.
  const Tolerance of_libtorch = type == at::kBFloat16 ? Tolerance{0.08, 0.04} : tolerance;
  EXPECT_TENSOR_NEAR(attention_of_libtorch(q, k, v, scale), expected, of_libtorch);
}

INSTANTIATE_TEST_SUITE_P(Kinds, FusedAttention,
                         ::testing::Combine(::testing::Values(AttentionCase{"small", 2, 4, 49, 49, 16},
                                                              AttentionCase{"one", 1, 1, 1, 1, 8},
                                                              AttentionCase{"single_head", 1, 1, 64, 64, 64},
                                                              AttentionCase{"ragged", 3, 2, 17, 37, 5},
                                                              AttentionCase{"wide", 1, 2, 40, 70, 96},
                                                              AttentionCase{"long_keys", 1, 3, 5, 300, 32}),
                                            ::testing::Values(at::kFloat, at::kBFloat16)),
                         [](const auto& info) {
                           return std::string(std::get<0>(info.param).name) +
                                  (std::get<1>(info.param) == at::kFloat ? "_float32" : "_bfloat16");
                         });

TEST(FusedAttention, DoesNotOverflowWhereTheExponentialWould) {
  const Tensor q = 100 * testing::ones({1, 1, 3, 4}), k = 100 * testing::randn({1, 1, 5, 4}),
               v = testing::randn({1, 1, 5, 4});
  EXPECT_TENSOR_NEAR(attention(q, k, v, 1), attention_plain(q.to(at::kDouble), k.to(at::kDouble), v.to(at::kDouble), 1),
                     (Tolerance{2e-3, 0}));
}

TEST(FusedAttention, HandsOnNan) {
  Tensor k = testing::randn({1, 1, 5, 4});
  k[0][0][2][1] = NAN;
  EXPECT_TRUE(
      at::isnan(attention(testing::randn({1, 1, 3, 4}), k, testing::randn({1, 1, 5, 4}), 1)).all().item<bool>());
}

TEST(FusedAttention, RefusesShapesThatDoNotFit) {
  EXPECT_THROW(attention(testing::randn({1, 1, 3, 4}), testing::randn({1, 1, 5, 8}), testing::randn({1, 1, 5, 8}), 1),
               ShapeError);
}

class Linear : public ::testing::TestWithParam<std::tuple<int64_t, int64_t, int64_t>> {};

TEST_P(Linear, MatchesFloat64) {
  const auto [rows, in, out] = GetParam();
  at::manual_seed(1);
  const Tensor x = testing::randn({2, rows, in}), w = testing::randn({out, in}) / std::sqrt(in),
               b = testing::randn({out});
  const Tensor exact = at::linear(x.to(at::kDouble), w.to(at::kDouble), b.to(at::kDouble));
  EXPECT_TENSOR_NEAR(linear(x, w, b), exact, (Tolerance{6e-6, 0}));
  EXPECT_TENSOR_NEAR(linear(x, w, Tensor()), exact - b, (Tolerance{6e-6, 0}));
}

INSTANTIATE_TEST_SUITE_P(Sizes, Linear,
                         ::testing::Combine(::testing::Values(1, 3, 30, 100), ::testing::Values(5, 64, 200),
                                            ::testing::Values(1, 33, 256)));

TEST(Linear, RefusesShapesThatDoNotFit) {
  EXPECT_THROW(linear(testing::randn({3, 4}), testing::randn({5, 6}), Tensor()), ShapeError);
}

}  // namespace
}  // namespace sextant::kernels
