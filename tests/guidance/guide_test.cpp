#include <ATen/core/grad_mode.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/autograd/autograd.h>

#include <limits>

#include "guidance/toy_classifier.h"
#include "sextant/guidance/score.h"
#include "sextant/runtime/error.h"
#include "support/errors.h"
#include "support/golden.h"

namespace sextant::guidance {
namespace {

using sextant::testing::message_of;
using testing::step_input;
using testing::toy_classifier;
constexpr int64_t kPixels = 18, kClasses = 5, kBatch = 4;

ScoreFunction score_of(const std::string& name) {
  ScoreConfig config;
  config.temperatures = {1.0, 0.5};
  return parse_score(name, config);
}

double largest_difference(const Tensor& a, const Tensor& b) { return (a - b).abs().max().item<double>(); }

/// dS/dx by autograd through the plain score's definition.
Tensor plain_gradient(const Classifier& classifier, const Tensor& x, const Tensor& t, const Tensor& y,
                      const std::function<Tensor(const Tensor&)>& predict_x0 = {}) {
  const at::AutoGradMode with_grad(true);
  const Tensor leaf = x.detach().clone().requires_grad_(true);
  const Tensor f = classifier.logits(predict_x0 ? predict_x0(leaf) : leaf, t);
  const Tensor S = f.gather(1, y.unsqueeze(1)).squeeze(1) - at::logsumexp(0.5 * f, 1);
  return torch::autograd::grad({S.sum()}, {leaf})[0];
}

TEST(Guide, TakesTheGradientAtX0ByDefault) {
  const Classifier classifier = toy_classifier(kPixels, kClasses);
  const GuideInput in = step_input(kBatch, kClasses);
  const Guidance guidance = Guide(classifier, score_of("plain"))(in);
  EXPECT_LT(largest_difference(guidance.gradient, plain_gradient(classifier, in.x0, in.t, in.y)), 1e-13);
  EXPECT_EQ(guidance.score.sizes(), at::IntArrayRef({kBatch}));
  EXPECT_EQ(guidance.logits.sizes(), at::IntArrayRef({kBatch, kClasses}));
}

TEST(Guide, TakesTheGradientAtTheNoisyImageForATimeAwareClassifier) {
  const Classifier classifier = toy_classifier(kPixels, kClasses, at::kDouble, /*time=*/true);
  const GuideInput in = step_input(kBatch, kClasses);
  GuideConfig config;
  config.input = Input::kNoisy;
  EXPECT_LT(largest_difference(Guide(classifier, score_of("plain"), config)(in).gradient,
                               plain_gradient(classifier, in.x, in.t, in.y)),
            1e-13);
}

TEST(Guide, GoesThroughTheDenoisersOwnJacobianOnRequest) {
  const Classifier classifier = toy_classifier(kPixels, kClasses);
  GuideInput in = step_input(kBatch, kClasses);
  GuideConfig config;
  config.input = Input::kThroughDenoiser;
  EXPECT_NE(sextant::testing::message_of([&] { Guide(classifier, score_of("plain"), config)(in); }).find("predict_x0"),
            std::string::npos);
  in.predict_x0 = [](const Tensor& x) { return (1.7 * x).tanh(); };
  EXPECT_LT(largest_difference(Guide(classifier, score_of("plain"), config)(in).gradient,
                               plain_gradient(classifier, in.x, in.t, in.y, in.predict_x0)),
            1e-13);
}

TEST(Guide, ClimbsAScoreOfTheCallersOwn) {
  const Classifier classifier = toy_classifier(kPixels, kClasses);
  const GuideInput in = step_input(kBatch, kClasses);
  std::vector<Step> seen;
  const ScoreFunction margin = [&](const Tensor& f, const Tensor& y, const Step& step) {  // f_y - mean f
    seen.push_back(step);
    const Tensor is_y = at::one_hot(y, f.size(1)).to(f.scalar_type());
    return Score{(is_y * f).sum(1) - f.mean(1), is_y - 1.0 / static_cast<double>(f.size(1))};
  };
  const Guidance guidance = Guide(classifier, margin)(in);

  const at::AutoGradMode with_grad(true);
  const Tensor leaf = in.x0.detach().clone().requires_grad_(true);
  const Tensor f = classifier.logits(leaf, in.t);
  const Tensor S = f.gather(1, in.y.unsqueeze(1)).squeeze(1) - f.mean(1);
  EXPECT_LT(largest_difference(guidance.score, S.detach()), 1e-14);
  EXPECT_LT(largest_difference(guidance.gradient, torch::autograd::grad({S.sum()}, {leaf})[0]), 1e-13);
  ASSERT_EQ(seen.size(), 1);
  EXPECT_EQ(seen[0].index, in.step);
  EXPECT_EQ(seen[0].num_steps, in.num_steps);
  EXPECT_EQ(seen[0].alpha_cumprod, in.alpha_cumprod);
}

TEST(Guide, RefusesAScoreOfAnotherShape) {
  const ScoreFunction one_for_all = [](const Tensor& f, const Tensor&, const Step&) { return Score{f.sum(), f}; };
  const Guide guide(toy_classifier(kPixels, kClasses), one_for_all);
  const std::string message = sextant::testing::message_of<ShapeError>([&] { guide(step_input(kBatch, kClasses)); });
  EXPECT_NE(message.find("expected a score [4] with a gradient [4, 5], got [] and [4, 5]"), std::string::npos)
      << message;
}

TEST(Guide, CallsTheClassifierOncePerStepWhateverTheScore) {
  int calls = 0;
  const Classifier classifier = toy_classifier(kPixels, kClasses, at::kDouble, /*time=*/false, &calls);
  GuideConfig config;
  config.tilt = -0.2;
  config.entropy_driven = true;
  const Guide guide(classifier, score_of("js+entropy+rkl+fkl+hellinger+chi2+alpha-div"), config);
  const at::NoGradGuard as_in_a_sampler;
  guide(step_input(kBatch, kClasses));
  EXPECT_EQ(calls, 1);
}

TEST(Guide, NeverLeavesAGraphBehind) {
  const Classifier classifier = toy_classifier(kPixels, kClasses);
  const GuideInput in = step_input(kBatch, kClasses);
  const Guidance guidance = Guide(classifier, score_of("js"))(in);
  for (const Tensor& tensor : {guidance.gradient, guidance.score, guidance.weight, guidance.logits}) {
    EXPECT_FALSE(tensor.requires_grad());
  }
  EXPECT_FALSE(in.x0.requires_grad());
}

TEST(Guide, ScalesEachSampleByScaleTiltAndEntropy) {
  const Classifier classifier = toy_classifier(kPixels, kClasses);
  const GuideInput in = step_input(kBatch, kClasses);
  const Guidance plain = Guide(classifier, score_of("js"))(in);
  GuideConfig config;
  config.scale = 2.5;
  config.tilt = -0.3;
  config.entropy_driven = true;
  const Guidance scaled = Guide(classifier, score_of("js"), config)(in);

  const Tensor weight = tilt_weights(plain.score, -0.3);
  const Tensor factor = 2.5 * weight * entropy_driven_scale(plain.logits);
  EXPECT_TRUE(at::equal(scaled.score, plain.score)) << "the score itself is not scaled";
  EXPECT_TRUE(at::equal(scaled.weight, weight));
  EXPECT_LT(largest_difference(scaled.gradient, factor.view({kBatch, 1, 1, 1}) * plain.gradient), 1e-13);
  EXPECT_TRUE(at::equal(plain.weight, at::ones({kBatch}, at::kDouble)));
}

TEST(Guide, TakesTheEntropyScalesNumberOfClassesFromTheConfiguration) {
  const Classifier classifier = toy_classifier(kPixels, kClasses);
  const GuideInput in = step_input(kBatch, kClasses);
  GuideConfig config;
  config.entropy_driven = true;
  const Tensor own = Guide(classifier, score_of("plain"), config)(in).gradient;
  config.entropy_classes = 1000;
  const Tensor published = Guide(classifier, score_of("plain"), config)(in).gradient;
  EXPECT_LT(largest_difference(published, own * (std::log(1000.0) / std::log(double{kClasses}))), 1e-13);
}

TEST(Guide, TiltsGroupsOfAStatedSizeWhateverTheBatch) {
  const Classifier classifier = toy_classifier(kPixels, kClasses);
  const GuideInput in = step_input(6, kClasses);
  GuideConfig config;
  config.tilt = -0.5;
  config.tilt_group = 2;
  const Tensor together = Guide(classifier, score_of("plain"), config)(in).weight;
  GuideInput pair = in;
  pair.x0 = in.x0.narrow(0, 2, 2);
  pair.y = in.y.narrow(0, 2, 2);
  EXPECT_LT(largest_difference(together.narrow(0, 2, 2), Guide(classifier, score_of("plain"), config)(pair).weight),
            1e-14);
}

TEST(Guide, LetsLambdaFallAlongTheSteps) {
  const Classifier classifier = toy_classifier(kPixels, kClasses);
  GuideInput in = step_input(kBatch, kClasses);
  const Guide guide(classifier, score_of("entropy")), plain(classifier, score_of("plain"));
  const Tensor H = entropy(plain(in).logits, 1).value;
  for (const auto& [step, lambda] : {std::pair{24, 0.2}, {12, 0.125}, {0, 0.05}}) {
    in.step = step;
    EXPECT_LT(largest_difference(guide(in).score - plain(in).score, lambda * H), 1e-14) << "step " << step;
  }
}

TEST(Guide, WorksInFloat32) {
  const Classifier classifier = toy_classifier(kPixels, kClasses, at::kFloat);
  const Guidance guidance = Guide(classifier, score_of("js"))(step_input(kBatch, kClasses, at::kFloat));
  EXPECT_EQ(guidance.gradient.scalar_type(), at::kFloat);
  const Classifier exact = toy_classifier(kPixels, kClasses);
  const Guidance expected = Guide(exact, score_of("js"))(step_input(kBatch, kClasses));
  EXPECT_LT(largest_difference(guidance.gradient.to(at::kDouble), expected.gradient), 1e-4);
}

/// What the guide says of a classifier with these logits.
std::string refusal_of(std::function<Tensor(const Tensor&)> logits, GuideInput in) {
  const Guide guide({std::move(logits), kClasses}, score_of("js"));
  return sextant::testing::message_of([&] { guide(in); });
}

TEST(Guide, NamesTheStepAndTheSampleWhereLogitsAreNotFinite) {
  for (const double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    const std::string message = refusal_of(
        [bad](const Tensor& x) {
          const Tensor f = x.flatten(1).narrow(1, 0, kClasses).clone();
          f.index({2, 1}).fill_(bad);
          return f;
        },
        step_input(kBatch, kClasses));
    EXPECT_NE(message.find("step 10 of 25"), std::string::npos) << message;
    EXPECT_NE(message.find("sample 2"), std::string::npos) << message;
    EXPECT_NE(message.find("fp32"), std::string::npos) << message;
  }
}

TEST(Guide, SaysSoWhenItsInputWasNotFiniteAlready) {
  GuideInput in = step_input(kBatch, kClasses);
  in.x0[1].fill_(std::numeric_limits<double>::infinity());
  const std::string message = refusal_of([](const Tensor& x) { return x.flatten(1).narrow(1, 0, kClasses) * 2; }, in);
  EXPECT_NE(message.find("input was not finite already: lower the scale"), std::string::npos) << message;
}

TEST(Guide, NamesTheStepWhereTheGradientIsNotFinite) {
  GuideInput in = step_input(kBatch, kClasses);
  in.x0.fill_(0);  // d sqrt(x)/dx is infinite at 0
  const std::string message =
      refusal_of([](const Tensor& x) { return x.flatten(1).narrow(1, 0, kClasses).sqrt(); }, in);
  EXPECT_NE(message.find("step 10 of 25 the guidance gradient"), std::string::npos) << message;
}

TEST(Guide, AcceptsFiniteLogitsWhoseSumOverflows) {
  const GuideInput in = step_input(kBatch, kClasses, at::kFloat);
  EXPECT_EQ(refusal_of([](const Tensor& x) { return x.flatten(1).narrow(1, 0, kClasses) * 0 + 3e38; }, in), "");
}

TEST(Guide, RefusesLabelsTheClassifierDoesNotHave) {
  GuideInput in = step_input(kBatch, kClasses);
  const Guide guide(toy_classifier(kPixels, kClasses), score_of("js"));
  in.y[1] = kClasses;
  EXPECT_NE(sextant::testing::message_of([&] { guide(in); }).find("label 5 of sample 1"), std::string::npos);
  in.y = in.y.narrow(0, 0, 2);
  EXPECT_NE(sextant::testing::message_of([&] { guide(in); }).find("one target class per sample [4]"),
            std::string::npos);
}

TEST(Guide, RefusesAClassifierThatAutogradCannotFollow) {
  const std::string message = refusal_of([](const Tensor& x) { return x.detach().flatten(1).narrow(1, 0, kClasses); },
                                         step_input(kBatch, kClasses));
  EXPECT_NE(message.find("autograd"), std::string::npos) << message;
}

TEST(Guide, NamesInferenceModeWhereThatIsWhatHidesTheGradient) {
  const Guide guide(toy_classifier(kPixels, kClasses), score_of("plain"));
  const c10::InferenceMode on;
  const std::string message = message_of<UsageError>([&] { guide(step_input(kBatch, kClasses)); });
  EXPECT_NE(message.find("draw outside of c10::InferenceMode"), std::string::npos) << message;
}

TEST(Guide, TakesTheEndsOfEveryRangeAndNothingBeyond) {
  struct Row {
    double GuideConfig::*field;
    std::string setting;
    double low, high;
  };
  for (const Row& row : {Row{&GuideConfig::tilt, "tilt", -100, 100}, Row{&GuideConfig::scale, "scale", -1e4, 1e4},
                         Row{&GuideConfig::gamma_factor, "gamma-factor", 0, 100}}) {
    const auto message = [&](double value) {
      GuideConfig config;
      config.*row.field = value;
      return message_of<UsageError>([&] { check_config(config); });
    };
    EXPECT_EQ(message(row.low), "");
    EXPECT_EQ(message(row.high), "");
    EXPECT_EQ(message(row.low - 1).find("guide: " + row.setting + " must be a number from "), 0)
        << message(row.low - 1);
    EXPECT_EQ(message(row.high + 1).find("guide: " + row.setting + " must be a number from "), 0);
    EXPECT_NE(message(std::numeric_limits<double>::quiet_NaN()), "");
  }
  GuideConfig config;
  config.interval = {0, 1};
  EXPECT_NO_THROW(check_config(config));
  config.interval = {0.5, 0.4};
  EXPECT_EQ(message_of<UsageError>([&] { check_config(config); }),
            "guide: the end of guidance-interval must be a number from 0.5 to 1, got 0.4");
  config = {};
  config.backward_lr = 0;
  EXPECT_EQ(message_of<UsageError>([&] { check_config(config); }),
            "guide: backward-lr must be a number above 0 to 10000, got 0");
}

TEST(Guide, RefusesNoClassifierNoScoreAndAnInvalidConfiguration) {
  const Classifier classifier = toy_classifier(kPixels, kClasses);
  GuideConfig config;
  config.gamma_factor = -1;
  EXPECT_THROW(Guide({}, score_of("plain")), UsageError);
  EXPECT_THROW(Guide(classifier, nullptr), UsageError);
  EXPECT_THROW(Guide(classifier, score_of("plain"), config), UsageError);
}

}  // namespace
}  // namespace sextant::guidance
