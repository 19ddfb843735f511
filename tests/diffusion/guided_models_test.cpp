// Models made of models: classifier-free guidance and autoguidance.
#include <cmath>

#include "samplers/tiny_models.h"
#include "sextant/runtime/error.h"
#include "support/errors.h"

namespace sextant::testing {
namespace {

using diffusion::Model;

/// Answers `conditional` for labels below `null_class` and `unconditional` for it, whatever x and t are.
Model fixed_answers(const Tensor& conditional, const Tensor& unconditional, int64_t null_class) {
  return [=](const Tensor& x, const Tensor&, const Tensor& y) {
    const int64_t repeats = x.size(0) / conditional.size(0);
    const Tensor is_null = (y == null_class).view({-1, 1, 1, 1});
    return at::where(is_null, unconditional.repeat({repeats, 1, 1, 1}), conditional.repeat({repeats, 1, 1, 1}));
  };
}

class ClassifierFree : public ::testing::TestWithParam<std::filesystem::path> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ClassifierFree);
INSTANTIATE_TEST_SUITE_P(Golden, ClassifierFree, ::testing::ValuesIn(golden_files("math/samplers", "cfg_formula")),
                         golden_name);

TEST_P(ClassifierFree, MixesAsHoAndSalimans) {
  const Golden golden(GetParam());
  const Tensor conditional = golden["input/eps_cond"];
  const Tensor unconditional = golden["input/eps_uncond"];
  const int64_t n = conditional.size(0);
  const int64_t channels = conditional.size(1);
  const Model model = fixed_answers(conditional, unconditional, 9);
  const Tensor w = golden["input/w"];
  for (int64_t k = 0; k < w.size(0); ++k) {
    const Model guided = diffusion::classifier_free(model, 9, 1 + w[k].item<double>(), channels);
    EXPECT_TENSOR_NEAR(guided(conditional, at::zeros({n}).to(conditional.device()),
                              at::zeros({n}, at::kLong).to(conditional.device())),
                       golden["output/ho_salimans_" + std::to_string(k)], (Tolerance{1e-14, 1e-13}));
  }
}

const Tensor kFirst = at::arange(32, at::kDouble).view({2, 4, 2, 2});
const Tensor kSecond = (kFirst + 1).square();
const Tensor kTimes = at::zeros({2});
const Tensor kLabels = at::zeros({2}, at::kLong);

TEST(ClassifierFree, LeavesTheOtherChannelsConditional) {
  const Model guided = diffusion::classifier_free(fixed_answers(kFirst, kSecond, 9), 9, 4.0, 3);
  const Tensor out = guided(kFirst, kTimes, kLabels);
  EXPECT_TENSOR_NEAR(out.narrow(1, 0, 3), (kSecond + 4 * (kFirst - kSecond)).narrow(1, 0, 3), (Tolerance{1e-10, 0}));
  EXPECT_TRUE(out.narrow(1, 3, 1).equal(kFirst.narrow(1, 3, 1)));
}

TEST(ClassifierFree, AtScaleOneCallsTheModelOnceForEachImage) {
  int64_t images = 0;
  const Model counting = [&](const Tensor& x, const Tensor&, const Tensor&) {
    images += x.size(0);
    return x;
  };
  diffusion::classifier_free(counting, 9, 1.0, 4)(kFirst, kTimes, kLabels);
  EXPECT_EQ(images, 2);
  diffusion::classifier_free(counting, 9, 1.5, 4)(kFirst, kTimes, kLabels);
  EXPECT_EQ(images, 6);
}

TEST(Autoguidance, ExtrapolatesFromTheBadModelThroughTheGoodOne) {
  const Model good = [](const Tensor&, const Tensor&, const Tensor&) { return kFirst; };
  const Model bad = [](const Tensor&, const Tensor&, const Tensor&) { return kSecond; };
  const Tensor out = diffusion::autoguidance(good, bad, 2.0, 3)(kFirst, kTimes, kLabels);
  EXPECT_TENSOR_NEAR(out.narrow(1, 0, 3), (2 * kFirst - kSecond).narrow(1, 0, 3), (Tolerance{1e-10, 0}));
  EXPECT_TRUE(out.narrow(1, 3, 1).equal(kFirst.narrow(1, 3, 1)));
}

TEST(InInterval, AsksOnlyTheModelsThatItNeeds) {
  std::vector<std::string> asked;
  const auto model = [&](const std::string& name, const Tensor& answer) -> Model {
    return [&asked, name, answer](const Tensor&, const Tensor&, const Tensor&) {
      asked.push_back(name);
      return answer;
    };
  };
  const Model both = diffusion::in_interval(model("inside", kFirst), model("outside", kSecond), {0.3, 5});
  EXPECT_TRUE(both(kFirst, at::tensor({0.3, 5.0}), kLabels).equal(kFirst));
  EXPECT_EQ(asked, (std::vector<std::string>{"inside"}));
  EXPECT_TRUE(both(kFirst, at::tensor({0.1, 80.0}), kLabels).equal(kSecond));
  EXPECT_EQ(asked, (std::vector<std::string>{"inside", "outside"}));
  EXPECT_TRUE(both(kFirst, at::tensor({80.0, 1.0}), kLabels).equal(at::stack({kSecond[0], kFirst[1]})));
}

TEST(TimestepsBetween, AreThoseWithSuchNoiseLevels) {
  for (const bool rescale : {false, true}) {
    diffusion::ProcessConfig config;
    config.steps = 500;
    config.rescale_timesteps = rescale;
    const Interval interval = diffusion::timesteps_between(config, {0.3, 5});
    const diffusion::Process process(config);
    const Tensor like = at::zeros({1, 1, 1, 1});
    for (int64_t t = 0; t < 500; ++t) {
      const double abar = process.abar(t);
      const double sigma = std::sqrt((1 - abar) / abar);
      const double time = process.model_time(t, like).item<double>();
      EXPECT_EQ(0.3 <= sigma && sigma <= 5, interval.low <= time && time <= interval.high) << t;
    }
  }
}

TEST(Denoisers, RefuseAModelWhoseAnswerOnlyBroadcasts) {
  const Model luma = [](const Tensor& x, const Tensor&, const Tensor&) { return x.mean(1, /*keepdim=*/true); };
  const diffusion::Denoiser denoiser(luma, diffusion::SigmaRange{}, {4, 2, 2});
  EXPECT_EQ(message_of<ShapeError>([&] { denoiser.denoise(kFirst, 1, kLabels); }),
            "denoiser: expected the model to answer images [2, 4, 2, 2] with their like, got [2, 1, 2, 2]");
  EXPECT_THROW(denoiser.with({}), UsageError);
}

TEST(Denoisers, PredictInTheTypeOfTheirImages) {
  const Model exact = [](const Tensor& x, const Tensor&, const Tensor&) { return at::cat({x, x}, 1).to(at::kDouble); };
  const diffusion::Denoiser denoiser(exact, diffusion::Process({}), {3, 4, 4});
  EXPECT_EQ(denoiser.predict(at::zeros({2, 3, 4, 4}), 3, {}).x0.scalar_type(), at::kFloat);
}

TEST(InInterval, RefusesModelsWhoseAnswersOnlyBroadcast) {
  const Model whole = [](const Tensor& x, const Tensor&, const Tensor&) { return x; };
  const Model luma = [](const Tensor& x, const Tensor&, const Tensor&) { return x.mean(1, /*keepdim=*/true); };
  const Tensor times = at::tensor({1.0, 9.0});
  EXPECT_THROW(diffusion::in_interval(whole, luma, {0, 5})(kFirst, times, kLabels), ShapeError);
}

TEST(ClassifierFree, RefusesAModelThatAnswersHalfTheBatch) {
  const Model half = [](const Tensor& x, const Tensor&, const Tensor&) { return x.narrow(0, 0, x.size(0) / 2); };
  EXPECT_THROW(diffusion::classifier_free(half, 9, 2.0, 4)(kFirst, kTimes, kLabels), ShapeError);
}

TEST(Models, ThatAreNoneSaySo) {
  EXPECT_FALSE(Model(Model::Function()));
  EXPECT_THROW(diffusion::classifier_free({}, 9, 2.0, 4)(kFirst, kTimes, kLabels), UsageError);
}

}  // namespace
}  // namespace sextant::testing
