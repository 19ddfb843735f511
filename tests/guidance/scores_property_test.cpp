// What the papers claim of the scores, on random logits and at the ends of what float32 and float64 can hold.
#include <ATen/CPUGeneratorImpl.h>

#include <numbers>

#include "guidance/definitions.h"
#include "sextant/guidance/guide.h"
#include "sextant/runtime/error.h"
#include "support/golden.h"

namespace sextant::guidance {
namespace {

using namespace testing;  // NOLINT: the definitions

struct Named {
  std::string name;
  std::function<Score(const Tensor& f, const Tensor& y, double epsilon)> score;
  std::function<Tensor(const Tensor& f, const Tensor& y, double epsilon)> definition;
  bool takes_one_hot = true;  ///< finite at epsilon = 1
};

/// The alpha-divergence of an order in hundredths.
template <int kHundredths>
auto of_order() {
  return [](const Tensor& f, const Tensor& y, double epsilon) {
    return alpha_divergence(f, y, {0.7, epsilon}, kHundredths / 100.0);
  };
}

template <int kHundredths>
auto defined_at_order() {
  return [](const Tensor& f, const Tensor& y, double epsilon) {
    return -0.7 * define_alpha_divergence(f, y, epsilon, kHundredths / 100.0);
  };
}

const std::vector<Named>& divergences() {
  static const std::vector<Named> all = {
      {"reverse_kl",
       [](auto& f, auto& y, double e) {
         return reverse_kl(f, y, {0.7, e});
       },
       [](auto& f, auto& y, double e) { return -0.7 * define_reverse_kl(f, y, e); }},
      {"forward_kl",
       [](auto& f, auto& y, double e) {
         return forward_kl(f, y, {0.7, e});
       },
       [](auto& f, auto& y, double e) { return -0.7 * define_forward_kl(f, y, e); },
       /*takes_one_hot=*/false},
      {"jensen_shannon",
       [](auto& f, auto& y, double e) {
         return jensen_shannon(f, y, {0.7, e});
       },
       [](auto& f, auto& y, double e) { return -0.7 * define_jensen_shannon(f, y, e); }},
      {"hellinger",
       [](auto& f, auto& y, double e) {
         return hellinger(f, y, {0.7, e});
       },
       [](auto& f, auto& y, double e) { return -0.7 * define_hellinger(f, y, e); }},
      {"chi2",
       [](auto& f, auto& y, double e) {
         return chi2(f, y, {0.7, e});
       },
       [](auto& f, auto& y, double e) { return -0.7 * define_chi2(f, y, e); },
       /*takes_one_hot=*/false},
      {"alpha_divergence 0.01", of_order<1>(), defined_at_order<1>()},
      {"alpha_divergence 0.3", of_order<30>(), defined_at_order<30>()},
      {"alpha_divergence 0.5", of_order<50>(), defined_at_order<50>()},
      {"alpha_divergence 0.99", of_order<99>(), defined_at_order<99>()},
      {"alpha_divergence 1.3", of_order<130>(), defined_at_order<130>(), /*takes_one_hot=*/false},
      {"alpha_divergence 2", of_order<200>(), defined_at_order<200>(), /*takes_one_hot=*/false},
  };
  return all;
}

/// Logits [N, K] of spread `scale` and labels, a new draw per seed.
struct Draw {
  Draw(uint64_t seed, int64_t n, int64_t k, double scale, at::ScalarType dtype = at::kDouble)
      : generator(at::detail::createCPUGenerator(seed)),
        f((scale * at::randn({n, k}, generator, at::kDouble)).to(dtype)),
        y(at::randint(0, k, {n}, generator, at::kLong)) {}
  at::Generator generator;
  Tensor f, y;
};

double relative_difference(const Tensor& actual, const Tensor& expected) {
  return ((actual - expected).abs().max() / expected.abs().max().clamp_min(1e-3)).item<double>();
}

bool finite(const Score& score) {
  return score.value.isfinite().all().item<bool>() && score.gradient.isfinite().all().item<bool>();
}

/// All scores that are finite at an epsilon.
std::vector<std::pair<std::string, Score>> all_scores(const Tensor& f, const Tensor& y, double epsilon) {
  std::vector<std::pair<std::string, Score>> scores = {{"log_prob", log_prob(f, y, {1.0, 0.5})},
                                                       {"entropy", entropy(f, 0.2)}};
  for (const Named& d : divergences()) {
    if (d.takes_one_hot || epsilon < 1) scores.emplace_back(d.name, d.score(f, y, epsilon));
  }
  return scores;
}

TEST(Scores, HaveTheGradientThatAutogradFindsForTheirDefinition) {
  for (const uint64_t seed : {1, 2, 3}) {
    for (const int64_t k : {2, 10, 1000}) {
      const Draw d(seed, 7, k, 3.0);
      const Temperatures tau{1.3, 0.4};
      const Score plain = log_prob(d.f, d.y, tau);
      const Score expected = differentiate([&](const Tensor& f) { return define_log_prob(f, d.y, tau); }, d.f);
      EXPECT_LT(relative_difference(plain.value, expected.value), 1e-10);
      EXPECT_LT(relative_difference(plain.gradient, expected.gradient), 1e-10);

      const Score entropic = differentiate([](const Tensor& f) { return 0.2 * define_entropy(f); }, d.f);
      EXPECT_LT(relative_difference(entropy(d.f, 0.2).value, entropic.value), 1e-10);
      EXPECT_LT(relative_difference(entropy(d.f, 0.2).gradient, entropic.gradient), 1e-10);

      for (const Named& divergence : divergences()) {
        for (const double epsilon : {0.0, 0.1, 0.9}) {
          const Score actual = divergence.score(d.f, d.y, epsilon);
          const Score defined =
              differentiate([&](const Tensor& f) { return divergence.definition(f, d.y, epsilon); }, d.f);
          EXPECT_LT(relative_difference(actual.value, defined.value), 1e-10) << divergence.name << " K " << k;
          EXPECT_LT(relative_difference(actual.gradient, defined.gradient), 1e-10) << divergence.name << " K " << k;
        }
      }
    }
  }
}

TEST(Scores, DoNotChangeWhenAConstantIsAddedToAllLogits) {
  const Draw d(4, 6, 12, 4.0);
  EXPECT_LT(relative_difference(log_prob(d.f + 7.5, d.y, {}).value, log_prob(d.f, d.y, {}).value), 1e-13);
  for (const double epsilon : {0.0, 0.1}) {
    const auto before = all_scores(d.f, d.y, epsilon);
    const auto after = all_scores(d.f + 7.5, d.y, epsilon);
    for (std::size_t i = 0; i < before.size(); ++i) {
      EXPECT_LT(relative_difference(after[i].second.gradient, before[i].second.gradient), 1e-12) << before[i].first;
      if (before[i].first == "log_prob") continue;  // its value moves with unequal temperatures
      EXPECT_LT(relative_difference(after[i].second.value, before[i].second.value), 1e-12) << before[i].first;
    }
  }
}

TEST(Scores, MoveByTheDifferenceOfTheTemperaturesWhenAConstantIsAdded) {
  const Draw d(5, 6, 12, 4.0);
  const Tensor change = log_prob(d.f + 10, d.y, {1.0, 0.5}).value - log_prob(d.f, d.y, {1.0, 0.5}).value;
  EXPECT_LT((change - 5).abs().max().item<double>(), 1e-12);
}

TEST(Scores, KeepJensenShannonAndHellingerWithinTheirBounds) {
  for (const double scale : {0.1, 1.0, 30.0, 1000.0}) {
    for (const double epsilon : {0.0, 0.1, 1.0}) {
      const Draw d(6, 50, 20, scale);
      const Tensor js = -jensen_shannon(d.f, d.y, {1, epsilon}).value;
      const Tensor h2 = -hellinger(d.f, d.y, {1, epsilon}).value;
      EXPECT_GE(js.min().item<double>(), -1e-15);
      EXPECT_LE(js.max().item<double>(), std::numbers::ln2 + 1e-15);
      EXPECT_GE(h2.min().item<double>(), 0);
      EXPECT_LE(h2.max().item<double>(), 2 + 1e-15);
    }
  }
}

TEST(Scores, AreZeroDivergenceFromATargetThatTheClassifierMeets) {
  const Draw d(7, 5, 8, 1.0);
  const Tensor f = smoothed_target(d.y, d.f, 0.4).log();
  for (const Named& divergence : divergences()) {
    const Score score = divergence.score(f, d.y, 0.4);
    EXPECT_LT(score.value.abs().max().item<double>(), 1e-14) << divergence.name;
    EXPECT_LT(score.gradient.abs().max().item<double>(), 1e-14) << divergence.name;
  }
}

TEST(Scores, StayFiniteAtLogitsOfTenThousandForAnyNumberOfClasses) {
  for (const auto dtype : {at::kFloat, at::kDouble}) {
    for (const int64_t k : {2, 10, 1000, 21000}) {
      for (const double epsilon : {0.0, 0.1, 1.0}) {
        Draw d(8, 4, k, 1.0, dtype);
        const Tensor signs = at::where(d.f > 0, at::full_like(d.f, 1e4), at::full_like(d.f, -1e4));
        for (const Tensor& f :
             {d.f, signs, 1e4 * at::one_hot(d.y, k).to(dtype), -1e4 * at::one_hot(d.y, k).to(dtype)}) {
          for (const auto& [name, score] : all_scores(f, d.y, epsilon)) {
            EXPECT_TRUE(finite(score)) << name << " K " << k << " epsilon " << epsilon << " " << dtype;
            EXPECT_EQ(score.value.scalar_type(), dtype);
            EXPECT_EQ(score.gradient.scalar_type(), dtype);
            EXPECT_EQ(score.gradient.sizes(), f.sizes());
          }
        }
      }
    }
  }
}

TEST(Scores, KnowTheirLimitsWhenTheClassifierIsCertain) {
  const int64_t K = 1000;
  const Tensor y = at::full({1}, 3, at::kLong);
  const Tensor right = 1e4 * at::one_hot(y, K).to(at::kDouble);
  const double q_y = 0.9 / K + 0.1, q_i = 0.9 / K;
  EXPECT_NEAR(entropy(right, 1).value.item<double>(), 0, 1e-15);
  EXPECT_NEAR(-forward_kl(right, y, {1, 0.1}).value.item<double>(), -std::log(q_y), 1e-12);
  EXPECT_NEAR(-hellinger(right, y, {1, 0.1}).value.item<double>(), 1.3647047930, 1e-10);
  EXPECT_NEAR(-reverse_kl(right, y, {1, 0.1}).value.item<double>(),
              q_y * std::log(q_y) + 999 * q_i * (std::log(q_i) + 1e4), 1e-8);
  const Tensor wrong = right.roll(1, 1);
  EXPECT_NEAR(-jensen_shannon(wrong, y, {1, 1.0}).value.item<double>(), std::numbers::ln2, 1e-15);
  EXPECT_NEAR(-reverse_kl(wrong, y, {1, 1.0}).value.item<double>(), 1e4, 1e-8);
}

TEST(Scores, ReproduceTheWorkedExampleOfThePaperNotes) {
  const Tensor f = at::tensor({2.0, 0.0, -1.0}, at::kDouble).unsqueeze(0);
  const Tensor y = at::zeros({1}, at::kLong);
  const Score plain = log_prob(f, y, {1.0, 0.5});
  EXPECT_NEAR(plain.value.item<double>(), 0.5356312159, 1e-10);
  EXPECT_NEAR((plain + entropy(f, 0.2)).value.item<double>(), 0.6404845392, 1e-10);
  EXPECT_NEAR((plain + reverse_kl(f, y, {})).value.item<double>(), 0.4775366115, 1e-10);
  EXPECT_NEAR((plain + forward_kl(f, y, {})).value.item<double>(), 0.4919350589, 1e-10);
  EXPECT_NEAR((plain + jensen_shannon(f, y, {})).value.item<double>(), 0.5239412323, 1e-10);
  EXPECT_NEAR((plain + hellinger(f, y, {})).value.item<double>(), 0.5112945668, 1e-10);
}

TEST(Scores, LeaveArgumentsAndTheGraphAlone) {
  const Draw d(9, 3, 5, 1.0);
  const Tensor f = d.f.clone().requires_grad_(true);
  for (const auto& [name, score] : all_scores(f, d.y, 0.1)) {
    EXPECT_FALSE(score.value.requires_grad()) << name;
    EXPECT_FALSE(score.gradient.requires_grad()) << name;
  }
  EXPECT_TRUE(at::equal(f.detach(), d.f));
}

TEST(ReverseKl, StillPullsWhenTheClassifierIsCertain) {
  const Tensor y = at::full({1}, 3, at::kLong);
  const Tensor f = 50.0 * at::one_hot(y, 10).to(at::kDouble);
  EXPECT_LT(log_prob(f, y, {}).gradient.abs().max().item<double>(), 1e-12);  // vanished
  EXPECT_GT(reverse_kl(f, y, {}).gradient.abs().max().item<double>(), 0.05);
  EXPECT_LT(jensen_shannon(f, y, {}).gradient.abs().max().item<double>(), 1e-12);
}

TEST(JensenShannon, IsTwiceItselfInThePaperForm) {
  const Draw d(10, 5, 9, 2.0);
  const Score ours = jensen_shannon(d.f, d.y, {0.3, 0.1});
  const Score paper = jensen_shannon(d.f, d.y, {0.3, 0.1}, JensenShannonForm::kPaper);
  EXPECT_TRUE(at::equal(paper.value, 2 * ours.value));
  EXPECT_TRUE(at::equal(paper.gradient, 2 * ours.gradient));
}

TEST(Divergences, VanishExactlyWithTheirWeight) {
  const Draw d(11, 5, 9, 2.0);
  const Score plain = log_prob(d.f, d.y, {1.0, 0.5});
  for (const Score& off : {reverse_kl(d.f, d.y, {0, 0.1}), forward_kl(d.f, d.y, {0, 0.1}),
                           jensen_shannon(d.f, d.y, {0, 0.1}), hellinger(d.f, d.y, {0, 0.1}), chi2(d.f, d.y, {0, 0.1}),
                           alpha_divergence(d.f, d.y, {0, 0.1}, 0.5), entropy(d.f, 0)}) {
    EXPECT_TRUE(at::equal((plain + off).value, plain.value));
    EXPECT_TRUE(at::equal((plain + off).gradient, plain.gradient));
  }
}

TEST(AlphaDivergence, RunsThroughThePapersDivergences) {
  const Draw d(15, 5, 9, 2.0);
  const Divergence q{0.3, 0.2};
  const auto expect_same = [&](double order, const Score& expected, double times) {
    const Score actual = alpha_divergence(d.f, d.y, q, order);
    EXPECT_LT(relative_difference(actual.value, times * expected.value), 1e-8) << order;
    EXPECT_LT(relative_difference(actual.gradient, times * expected.gradient), 1e-8) << order;
  };
  expect_same(0, reverse_kl(d.f, d.y, q), 1);
  expect_same(1e-9, reverse_kl(d.f, d.y, q), 1);
  expect_same(0.5, hellinger(d.f, d.y, q), 2);
  expect_same(1 - 1e-9, forward_kl(d.f, d.y, q), 1);
  expect_same(1, forward_kl(d.f, d.y, q), 1);
  expect_same(1 + 1e-9, forward_kl(d.f, d.y, q), 1);
  expect_same(2, chi2(d.f, d.y, q), 0.5);
}

TEST(AlphaDivergence, KeepsItsDigitsInFloat32NearTheKullbackLeiblerDivergences) {
  const Draw d(16, 5, 1000, 3.0);
  for (const double order : {1e-6, 1 - 1e-6, 1 + 1e-6}) {
    const Score exact = alpha_divergence(d.f, d.y, {}, order);
    const Score single = alpha_divergence(d.f.to(at::kFloat), d.y, {}, order);
    EXPECT_LT(relative_difference(single.value.to(at::kDouble), exact.value), 1e-5) << order;
    EXPECT_LT(relative_difference(single.gradient.to(at::kDouble), exact.gradient), 1e-5) << order;
  }
}

TEST(LogProb, WithoutMarginalTemperatureIsJointGuidanceAlone) {
  const Draw d(13, 4, 6, 1.0);
  EXPECT_TRUE(at::equal(log_prob(d.f, d.y, {1.5, 0}).gradient, 1.5 * at::one_hot(d.y, 6).to(at::kDouble)));
}

}  // namespace
}  // namespace sextant::guidance
