// Classifiers with rescaled logits.
#include <ATen/CPUGeneratorImpl.h>

#include "classifiers/toy.h"
#include "sextant/classifiers/wrappers.h"
#include "sextant/runtime/error.h"
#include "support/errors.h"

namespace sextant::classifiers {
namespace {

using nlohmann::json;
using testing::message_of;
using testing::Tolerance;

const Rescaling kTemperature = {2.5, {}, {}};

Rescaling some_scaling(int64_t classes, double first) {
  Rescaling rescaling;
  for (int64_t k = 0; k < classes; ++k) {
    rescaling.scale.push_back(first + 0.25 * static_cast<double>(k));
    rescaling.shift.push_back(1 - first * static_cast<double>(k));
  }
  return rescaling;
}

TEST(Rescaling, DividesByTheTemperatureOrScalesAndShifts) {
  const Tensor f = at::tensor({1.0, -2.0, 4.0}, at::kDouble).view({1, 3});
  EXPECT_TENSOR_NEAR(kTemperature(f), f / 2.5, (Tolerance{1e-15, 0}));
  const Rescaling vector = {1, {2, 1, 0.5}, {0, 3, -1}};
  EXPECT_TENSOR_NEAR(vector(f), at::tensor({2.0, 1.0, 1.0}, at::kDouble).view({1, 3}), (Tolerance{1e-15, 0}));
  EXPECT_EQ(vector(f.to(at::kFloat)).scalar_type(), at::kFloat);
  EXPECT_TRUE(Rescaling{}.changes_nothing());
  EXPECT_TRUE(at::equal(Rescaling{}(f), f));
}

TEST(Rescaling, ComposesToOneThatDoesBoth) {
  auto generator = at::detail::createCPUGenerator(1);
  const Tensor f = at::randn({5, 4}, generator, at::kDouble);
  const std::vector<Rescaling> some = {{}, kTemperature, some_scaling(4, 0.5), some_scaling(4, 2)};
  for (const Rescaling& a : some) {
    for (const Rescaling& b : some) EXPECT_TENSOR_NEAR(compose(a, b)(f), b(a(f)), (Tolerance{1e-14, 1e-14}));
  }
  EXPECT_EQ(compose(kTemperature, kTemperature).temperature, 6.25);
  EXPECT_TRUE(compose(kTemperature, kTemperature).scale.empty());
}

/// What is left out is a scale of 1/temperature and a shift of 0.
TEST(Rescaling, MayHaveAScaleOrAShiftAlone) {
  const Tensor f = at::randn({4, 3}, at::kDouble);
  const Tensor row = at::tensor({2.0, -1.0, 0.5}, at::kDouble);
  const Rescaling scale = {1, {2, -1, 0.5}, {}}, shift = {1, {}, {2, -1, 0.5}}, both = {4, {}, {2, -1, 0.5}};
  const guidance::Classifier raw{[](const Tensor& x) { return x; }, 3};
  for (const auto& [rescaling, expected] :
       {std::pair(scale, f * row), std::pair(shift, f + row), std::pair(both, f / 4 + row)}) {
    EXPECT_FALSE(rescaling.changes_nothing());
    EXPECT_TENSOR_NEAR(rescaling(f), expected, (Tolerance{1e-15, 0}));
    EXPECT_TENSOR_NEAR(calibrated(raw, rescaling).logits(f), expected, (Tolerance{1e-15, 0}));
    EXPECT_TENSOR_NEAR(compose(rescaling, kTemperature)(f), expected / 2.5, (Tolerance{1e-15, 0}));
    EXPECT_TENSOR_NEAR(rescaling_of({{"calibration", to_json(rescaling)}}, 3)(f), expected, (Tolerance{1e-15, 0}));
  }
  EXPECT_EQ(message_of<UsageError>([&] {
              calibrated({raw.logits, 4}, shift);
            }),
            "calibrated: expected a scale and a shift of 4 classes, got 0 and 3 numbers");
  EXPECT_THROW(calibrated(raw, {0, {}, {}}), UsageError);
  EXPECT_THROW(compose(shift, some_scaling(4, 1)), UsageError);
}

TEST(Rescaling, IsReadBackFromItsJson) {
  for (const Rescaling& rescaling : {kTemperature, some_scaling(4, 0.5)}) {
    const Rescaling read = rescaling_of({{"calibration", to_json(rescaling)}}, 4);
    EXPECT_EQ(read.temperature, rescaling.temperature);
    EXPECT_EQ(read.scale, rescaling.scale);
    EXPECT_EQ(read.shift, rescaling.shift);
  }
  EXPECT_TRUE(rescaling_of(json::object(), 4).changes_nothing());
}

TEST(Rescaling, RefusesWhatIsNone) {
  for (const json& calibration :
       {json{{"temperature", 0}}, json{{"temperature", -1}}, json{{"temperature", "hot"}},
        json{{"temperature", nullptr}}, json{{"scale", {1, 1, 1}}, {"shift", {0, 0, 0}}}, json{{"scale", {1, 1, 1, 1}}},
        json{{"shift", {0, 0, 0, 0}}}, json{{"scale", {1, 1, 1, "a"}}, {"shift", {0, 0, 0, 0}}}, json(3)}) {
    const std::string message = message_of<CheckpointError>([&] { rescaling_of({{"calibration", calibration}}, 4); });
    EXPECT_EQ(message.rfind("config.json: \"calibration\" ", 0), 0u) << message;
  }
}

}  // namespace
}  // namespace sextant::classifiers
