#include "internal/kernels/product.h"

#include "sextant/runtime/device.h"
#include "sextant/runtime/error.h"
#include "support/golden.h"

namespace sextant::kernels {
namespace {

using namespace sextant::testing;

TEST(Product, MatchesTheBlasForEveryShapeAndStride) {
  for (const at::ScalarType type : {at::kDouble, at::kFloat}) {
    const Tolerance tolerance{type == at::kDouble ? 1e-11 : 1e-2, 0};
    for (const int64_t m : {1, 13, 350}) {
      for (const int64_t n : {1, 31, 400}) {
        for (const int64_t k : {1, 7, 500, 1100}) {
          const Tensor a = at::randn({m, k}, type);
          const Tensor b = at::randn({n, k}, type).t();
          const Tensor wide = at::randn({k, 2 * n}, type);
          EXPECT_TENSOR_NEAR(product(a, b), a.to(at::kDouble).mm(b.to(at::kDouble)), tolerance);
          const Tensor every_second = wide.slice(1, 0, 2 * n, 2);
          EXPECT_TENSOR_NEAR(product(a, every_second), a.to(at::kDouble).mm(every_second.to(at::kDouble)), tolerance);
        }
      }
    }
  }
}

TEST(Product, OfAMatrixWithItselfIsSymmetricToTheLastBit) {
  const Tensor a = at::randn({300, 700}, at::kDouble);
  const Tensor square = gram(a);
  EXPECT_TENSOR_NEAR(square, a.t().mm(a), (Tolerance{1e-10, 0}));
  EXPECT_TRUE(at::equal(square, square.t()));
}

TEST(Product, CanBeAddedToWhatIsThereAndStopAfterSomeColumns) {
  const Tensor a = at::randn({70, 600}, at::kDouble), b = at::randn({600, 90}, at::kDouble);
  const Tensor c = at::randn({70, 90}, at::kDouble);
  const Tensor expected = c + a.mm(b);
  const PackedMatrix packed(b);
  add_product(c, a, packed);
  EXPECT_TENSOR_NEAR(c, expected, (Tolerance{1e-11, 0}));
  EXPECT_TENSOR_NEAR(product(a, packed, 33), a.mm(b).slice(1, 0, 33), (Tolerance{1e-11, 0}));
}

TEST(Product, IsTheSameToTheLastBitForEveryNumberOfThreads) {
  for (const at::ScalarType type : {at::kDouble, at::kFloat}) {
    const Tensor a = at::randn({400, 1200}, type), b = at::randn({1200, 300}, type);
    const int before = threads();
    set_threads(1);
    const Tensor one = product(a, b), one_gram = gram(a);
    set_threads(3);
    EXPECT_TRUE(at::equal(one, product(a, b)));
    EXPECT_TRUE(at::equal(one_gram, gram(a)));
    set_threads(before);
  }
}

TEST(Product, RefusesShapesThatDoNotFit) {
  EXPECT_THROW(product(at::ones({2, 3}), at::ones({2, 3})), ShapeError);
  EXPECT_THROW(product(at::ones({2, 3}, at::kLong), at::ones({3, 3}, at::kLong)), ShapeError);
  EXPECT_THROW(product(at::ones({2, 3}), at::ones({3, 3}, at::kDouble)), ShapeError);
  EXPECT_THROW(add_product(at::ones({2, 2}), at::ones({2, 3}), PackedMatrix(at::ones({3, 3}))), ShapeError);
}

}  // namespace
}  // namespace sextant::kernels
