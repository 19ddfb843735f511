// Table 4 of Javid et al. 2025 and the two divergences of its appendix A, as data: Proposition 2 derives every closed
// form from its generator.
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>

#include "guidance/definitions.h"
#include "sextant/runtime/error.h"
#include "support/errors.h"
#include "support/golden.h"

namespace sextant::guidance {
namespace {

constexpr double kOrder = 0.7;

struct Row {
  std::string name;
  Generator generator;                                     ///< f(t), f'(t)
  Tensor (*weight)(const Tensor& p, const Tensor& q);      ///< w = p f'(p/q)
  Tensor (*definition)(const Tensor& p, const Tensor& q);  ///< D_f(q || p)
  Score (*closed_form)(const Tensor& f, const Tensor& y, const Divergence& divergence);
};

using T = const Tensor&;
using testing::kl;

std::vector<Row> table4() {
  return {
      {"reverse KL",
       {[](T t) { return -t.log(); }, [](T t) { return -1 / t; }},
       [](T, T q) -> Tensor { return -q; },
       [](T p, T q) { return kl(q, p); },
       [](T f, T y, const Divergence& d) { return reverse_kl(f, y, d); }},
      {"forward KL",
       {[](T t) { return t * t.log(); }, [](T t) { return t.log() + 1; }},
       [](T p, T q) { return p * ((p / q).log() + 1); },
       [](T p, T q) { return kl(p, q); },
       [](T f, T y, const Divergence& d) { return forward_kl(f, y, d); }},
      // As printed: twice eq. (14).
      {"Jensen-Shannon",
       {[](T t) { return -(t + 1) * ((t + 1) / 2).log() + t * t.log(); }, [](T t) { return (2 * t / (t + 1)).log(); }},
       [](T p, T q) { return p * (2 * p / (q + p)).log(); },
       [](T p, T q) { return kl(q, (q + p) / 2) + kl(p, (q + p) / 2); },
       [](T f, T y, const Divergence& d) { return jensen_shannon(f, y, d, JensenShannonForm::kPaper); }},
      {"squared Hellinger",
       {[](T t) { return (t.sqrt() - 1).square(); }, [](T t) { return 1 - t.rsqrt(); }},
       [](T p, T q) { return p - (p * q).sqrt(); },
       [](T p, T q) { return (q.sqrt() - p.sqrt()).square().sum(1); },
       [](T f, T y, const Divergence& d) { return hellinger(f, y, d); }},
      {"Pearson chi-squared",
       {[](T t) { return (t - 1).square(); }, [](T t) { return 2 * (t - 1); }},
       [](T p, T q) { return 2 * p * (p - q) / q; },
       [](T p, T q) { return ((p - q).square() / q).sum(1); },
       [](T f, T y, const Divergence& d) { return chi2(f, y, d); }},
      {"alpha-divergence",
       {[](T t) { return (t.pow(kOrder) - kOrder * t + kOrder - 1) / (kOrder * (kOrder - 1)); },
        [](T t) { return (t.pow(kOrder - 1) - 1) / (kOrder - 1); }},
       [](T p, T q) { return (p.pow(kOrder) * q.pow(1 - kOrder) - p) / (kOrder - 1); },
       [](T p, T q) { return ((p.pow(kOrder) * q.pow(1 - kOrder)).sum(1) - 1) / (kOrder * (kOrder - 1)); },
       [](T f, T y, const Divergence& d) { return alpha_divergence(f, y, d, kOrder); }},
  };
}

constexpr int64_t kSamples = 6, kNumClasses = 11;

Tensor logits() { return 3 * at::randn({kSamples, kNumClasses}, at::detail::createCPUGenerator(1), at::kDouble); }
Tensor labels() { return at::randint(0, kNumClasses, {kSamples}, at::detail::createCPUGenerator(2), at::kLong); }

/// The smoothed one-hot, a distribution for all samples, and one for each.
std::vector<Divergence> targets() {
  const Tensor raw = at::randn({kSamples, kNumClasses}, at::detail::createCPUGenerator(3), at::kDouble);
  const Tensor each = at::softmax(raw, 1);
  return {{0.7, 0.2}, {0.7, 0.2, each[0]}, {0.7, 0.2, each}};
}

Tensor q_of(const Divergence& divergence) {
  return divergence.target.defined() ? divergence.target.expand({kSamples, kNumClasses})
                                     : testing::q_of(logits(), labels(), divergence.epsilon);
}

double apart(T a, T b) { return (a - b).abs().max().item<double>(); }

TEST(Table4, GivesEveryClosedFormByProposition2) {
  for (const Row& row : table4()) {
    for (const Divergence& divergence : targets()) {
      const Score closed = row.closed_form(logits(), labels(), divergence);
      const Score general = f_divergence(logits(), labels(), row.generator, divergence);
      EXPECT_LT(apart(general.value, closed.value), 1e-12) << row.name;
      EXPECT_LT(apart(general.gradient, closed.gradient), 1e-12) << row.name;
    }
  }
}

TEST(Table4, HasTheWeightsOfItsGenerators) {
  for (const Row& row : table4()) {
    for (const Divergence& divergence : targets()) {
      const Tensor p = at::softmax(logits(), 1), q = q_of(divergence);
      EXPECT_LT(apart(row.weight(p, q), p * row.generator.derivative(p / q)), 1e-12) << row.name;
    }
  }
}

TEST(Table4, HasTheGradientsThatAutogradFindsForItsDivergences) {
  for (const Row& row : table4()) {
    for (const Divergence& divergence : targets()) {
      const Tensor q = q_of(divergence);
      const Score defined = testing::differentiate(
          [&](T f) { return -divergence.alpha * row.definition(at::softmax(f, 1), q); }, logits());
      const Score closed = row.closed_form(logits(), labels(), divergence);
      EXPECT_LT(apart(closed.value, defined.value), 1e-12) << row.name;
      EXPECT_LT(apart(closed.gradient, defined.gradient), 1e-12) << row.name;
    }
  }
}

TEST(FDivergence, IsFiniteAtLogitsOfTenThousand) {
  const Tensor y = labels();
  for (const auto dtype : {at::kFloat, at::kDouble}) {
    const Tensor certain = 1e4 * at::one_hot(y, kNumClasses).to(dtype);
    for (const Row& row : table4()) {
      for (const Tensor& f : {certain, Tensor(-certain)}) {
        const Score score = f_divergence(f, y, row.generator, {});
        EXPECT_TRUE(score.value.isfinite().all().item<bool>()) << row.name;
        const Score closed = row.closed_form(f, y, {});
        EXPECT_LT(apart(score.gradient, closed.gradient), dtype == at::kFloat ? 1e-5 : 1e-12) << row.name;
      }
    }
  }
}

TEST(FDivergence, KeepsTheLimitOfAProbabilityThatUnderflowsWhereSuchNumbersAreFlushed) {
  if (!at::globalContext().setFlushDenormal(true)) GTEST_SKIP() << "this processor cannot flush them";
  const Tensor f = at::tensor({0.0, 120.0, 40.0}, at::kFloat).view({1, 3}), y = at::zeros({1}, at::kLong);
  const Generator reverse([](const Tensor& t) { return -t.log(); }, [](const Tensor& t) { return -1 / t; });
  const Score score = f_divergence(f, y, reverse, {1, 0.1}), closed = reverse_kl(f, y, {1, 0.1});
  at::globalContext().setFlushDenormal(false);
  const Tensor q_minus_p = at::tensor({0.4, -0.7, 0.3}, at::kFloat);
  EXPECT_LT(apart(closed.gradient, q_minus_p), 1e-6);
  EXPECT_LT(apart(score.gradient, q_minus_p), 1e-6);
}

TEST(Targets, OfTheSmoothedOneHotsNumbersGiveTheSmoothedOneHotsScores) {
  for (const Row& row : table4()) {
    const Score smoothed = row.closed_form(logits(), labels(), {0.7, 0.2});
    const Tensor q = smoothed_target(labels(), logits(), 0.2);
    const Score given = row.closed_form(logits(), labels(), {0.7, /*epsilon=*/0.9, q});
    EXPECT_LT(apart(given.value, smoothed.value), 1e-13) << row.name;
    EXPECT_LT(apart(given.gradient, smoothed.gradient), 1e-13) << row.name;
  }
}

TEST(Targets, MayHaveZerosWhereTheDivergenceIsFinite) {
  const Tensor q = at::one_hot(labels(), kNumClasses).to(at::kFloat);
  for (const auto& score :
       {reverse_kl(logits(), labels(), {0.7, 0.2, q}), hellinger(logits(), labels(), {0.7, 0.2, q}),
        jensen_shannon(logits(), labels(), {0.7, 0.2, q}), alpha_divergence(logits(), labels(), {0.7, 0.2, q}, 0.7)}) {
    EXPECT_TRUE(score.value.isfinite().all().item<bool>());
    EXPECT_TRUE(score.gradient.isfinite().all().item<bool>());
    EXPECT_EQ(score.gradient.scalar_type(), at::kDouble);
  }
}

TEST(Generators, AreRefusedWithoutAssumption1) {
  const auto refusal = [](Generator::Function f, Generator::Function derivative) {
    return sextant::testing::message_of<UsageError>([&] { Generator(std::move(f), std::move(derivative)); });
  };
  const auto log = [](T t) { return t.log(); };
  const auto inverse = [](T t) { return 1 / t; };
  EXPECT_NE(refusal(log, inverse).find("convex"), std::string::npos);
  const auto square = [](T t) { return t.square(); };
  const auto twice = [](T t) { return 2 * t; };
  EXPECT_NE(refusal(square, twice).find("f(1) = 0 (Assumption 1), got 1"), std::string::npos);
  const auto excess = [](T t) { return t.square() - 1; };
  EXPECT_EQ(refusal(excess, twice), "");
  EXPECT_NE(refusal(excess, [](T t) { return 2.2 * t; }).find("its derivative"), std::string::npos);
  EXPECT_NE(refusal(excess, [](T t) { return t / t.new_zeros({1}); }).find("its derivative"), std::string::npos);
  EXPECT_NE(refusal(nullptr, twice).find("got none"), std::string::npos);
}

TEST(Generators, MayOverflowWhereProbabilitiesCannotBe) {
  const Generator steep{[](const Tensor& t) { return (t - 1).exp() - 1; },
                        [](const Tensor& t) { return (t - 1).exp(); }};
  const Tensor f = at::tensor({1.0, 0.5, -2.0}, at::kDouble).view({1, 3}), y = at::zeros({1}, at::kLong);
  const Score score = f_divergence(f, y, steep, {1.0, 0.3});
  const Tensor q = at::tensor({1.6 / 3, 0.7 / 3, 0.7 / 3}, at::kDouble), t = at::softmax(f, 1)[0] / q;
  EXPECT_NEAR(score.value.item<double>(), -(q * ((t - 1).exp() - 1)).sum().item<double>(), 1e-12);
  const auto nan = [](const Tensor& t) { return at::where(t > 100, at::full_like(t, std::nan("")), t - 1); };
  EXPECT_THROW(Generator(nan, [](const Tensor& t) { return at::ones_like(t); }), UsageError);
}

TEST(FDivergence, RefusesATargetWithoutMassOnAClass) {
  const std::string message = sextant::testing::message_of<UsageError>([] {
    f_divergence(logits(), labels(), table4().front().generator, {0.1, 1.0});
  });
  EXPECT_NE(message.find("choose epsilon below 1"), std::string::npos) << message;
}

}  // namespace
}  // namespace sextant::guidance
