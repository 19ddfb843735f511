#include <cmath>

#include "sextant/calibration/calibration.h"
#include "support/golden.h"

namespace sextant::calibration {
namespace {

TEST(EntropyConstraint, IsTheDivergenceFromTheUniformDistribution) {
  const Tensor f = at::tensor({2.0, 0.0, -1.0, 0.5, 0.5, 0.5}, at::kDouble).view({2, 3});
  // The first row's p is (0.8437947345, 0.1141951994, 0.0420100661), H = 0.5242667; the second's is uniform.
  double first = std::log(3.0);
  for (const double p : {0.8437947345, 0.1141951994, 0.0420100661}) first += p * std::log(p);
  const Loss loss = entropy_constraint(f);
  EXPECT_NEAR(loss.value.item<double>(), first / 2, 1e-9);
  EXPECT_LT(loss.gradient[1].abs().max().item<double>(), 1e-16) << "nothing is preferred";
}

TEST(EntropyConstraint, HasTheGradientOfItsValue) {
  const Tensor f = at::tensor({2.0, 0.0, -1.0, 30.0, -40.0, 3.0}, at::kDouble).view({2, 3});
  const Tensor gradient = entropy_constraint(f).gradient;
  constexpr double kStep = 1e-5;
  for (int64_t i = 0; i < 2; ++i) {
    for (int64_t k = 0; k < 3; ++k) {
      const auto moved = [&](double by) {
        Tensor at = f.clone();
        at[i][k] += by;
        return entropy_constraint(at).value.item<double>();
      };
      EXPECT_NEAR(gradient[i][k].item<double>(), (moved(kStep) - moved(-kStep)) / (2 * kStep), 1e-9);
    }
  }
}

}  // namespace
}  // namespace sextant::calibration
