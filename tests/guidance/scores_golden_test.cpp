// Every score against float64 autograd of its definition, one run per file of math/guidance.
#include "sextant/guidance/guide.h"
#include "sextant/guidance/score.h"
#include "support/golden.h"

namespace sextant::guidance {
namespace {

using ::sextant::testing::Golden;
using ::sextant::testing::golden_files;
using ::sextant::testing::golden_name;
using ::sextant::testing::Tolerance;

/// A case computed in one dtype. Keys that the file does not have are not compared.
class Case {
 public:
  Case(const Golden& golden, at::ScalarType dtype, Tolerance tolerance)
      : golden_(golden), f_(golden["input/logits"].to(dtype)), y_(golden["input/labels"]), tolerance_(tolerance) {}

  const Tensor& f() const { return f_; }
  const Tensor& y() const { return y_; }
  double number(const char* key) const { return golden_.config().at(key).get<double>(); }
  Temperatures temperatures() const { return {number("tau1"), number("tau2")}; }
  Divergence divergence() const { return {number("alpha"), number("epsilon")}; }
  Divergence unit_divergence() const { return {1, number("epsilon")}; }
  bool has_forward_kl() const { return number("epsilon") < 1; }

  Score plain() const { return log_prob(f_, y_, temperatures()); }
  Score js() const { return plain() + jensen_shannon(f_, y_, divergence()); }

  void expect(const std::string& key, const Tensor& actual) const {
    if (!golden_.has("output/" + key)) return;
    EXPECT_TRUE(::sextant::testing::tensor_near(actual, golden_["output/" + key], tolerance_)) << key;
  }
  void expect(const std::string& key, const Score& score) const {
    expect(key + "/score", score.value);
    expect(key + "/grad", score.gradient);
  }

 private:
  const Golden& golden_;
  Tensor f_, y_;
  Tolerance tolerance_;
};

void expect_scores(const Case& c) {
  const Score plain = c.plain();
  const Score entropic = plain + entropy(c.f(), c.number("lambda"));
  const Score rkl = plain + reverse_kl(c.f(), c.y(), c.divergence());
  const Score squared_hellinger = plain + hellinger(c.f(), c.y(), c.divergence());
  c.expect("logp", plain);
  c.expect("entropy", entropic);
  c.expect("rkl", rkl);
  c.expect("js", c.js());
  c.expect("hellinger", squared_hellinger);
  c.expect("entropy_js", c.js() + entropy(c.f(), c.number("lambda")));

  c.expect("entropy/H", entropy(c.f(), 1).value);
  c.expect("rkl/divergence", -reverse_kl(c.f(), c.y(), c.unit_divergence()).value);
  c.expect("js/divergence", -jensen_shannon(c.f(), c.y(), c.unit_divergence()).value);
  c.expect("hellinger/divergence", -hellinger(c.f(), c.y(), c.unit_divergence()).value);

  // The closed forms as printed: only Corollary 3 differs from ours.
  c.expect("paper/prop1_entropy", entropic.gradient);
  c.expect("paper/cor1_rkl", rkl.gradient);
  c.expect("paper/cor3_js", (plain + jensen_shannon(c.f(), c.y(), c.divergence(), JensenShannonForm::kPaper)).gradient);
  c.expect("paper/cor4_hellinger", squared_hellinger.gradient);

  if (!c.has_forward_kl()) return;
  const Score fkl = plain + forward_kl(c.f(), c.y(), c.divergence());
  c.expect("fkl", fkl);
  c.expect("fkl/divergence", -forward_kl(c.f(), c.y(), c.unit_divergence()).value);
  c.expect("paper/cor2_fkl", fkl.gradient);
}

void expect_tilted(const Case& c, const std::string& key, const Score& score) {
  const double tilt = c.number("tilt");
  const Tensor as_printed = tilt_weights(score.value, tilt, TiltForm::kSumToOne);
  const Tensor mean_preserving = tilt_weights(score.value, tilt);
  c.expect(key + "/score", tilted_score(score.value, tilt));
  c.expect(key + "/weights", as_printed);
  c.expect(key + "/grad", as_printed.unsqueeze(1) * score.gradient);
  c.expect(key + "/grad_mean_preserving", mean_preserving.unsqueeze(1) * score.gradient);
}

void expect_all(const Case& c) {
  expect_scores(c);
  expect_tilted(c, "tilted", c.plain());
  expect_tilted(c, "tilted_js", c.js());
  c.expect("tilted_js_weights_from_logp/grad_mean_preserving",
           tilt_weights(c.plain().value, c.number("tilt")).unsqueeze(1) * c.js().gradient);
}

class GuidanceGolden : public ::testing::TestWithParam<std::filesystem::path> {};

TEST_P(GuidanceGolden, ScoresMatchAutogradOfTheirDefinitionInFloat64) {
  const Golden golden(GetParam());
  expect_all(Case(golden, at::kDouble, golden.tolerance()));
}

TEST_P(GuidanceGolden, ScoresMatchTheFloat64ReferenceInFloat32) {
  const Golden golden(GetParam());
  // The tolerance names the kinds of logits that it holds for; scores of larger ones carry the logits' own rounding.
  const std::string stated = golden.metadata("tolerance");
  Tolerance tolerance = golden.tolerance("in float64;");
  if (stated.find(golden.config().at("kind").get<std::string>(), stated.find(';')) == std::string::npos) {
    tolerance.atol = std::max(tolerance.atol, 1e-6 * golden["input/logits"].abs().max().item<double>());
  }
  expect_all(Case(golden, at::kFloat, tolerance));
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(GuidanceGolden);
INSTANTIATE_TEST_SUITE_P(Math, GuidanceGolden, ::testing::ValuesIn(golden_files("math/guidance")), golden_name);

class EntropyDrivenGolden : public ::testing::TestWithParam<std::filesystem::path> {};

TEST_P(EntropyDrivenGolden, ScaleIsLogOfTheClassesOverTheEntropy) {
  const Golden golden(GetParam());
  const Tensor f = golden["input/logits"];
  EXPECT_TENSOR_NEAR(entropy(f, 1).value, golden["output/entropy"], golden.tolerance());
  EXPECT_TENSOR_NEAR(entropy_driven_scale(f, golden.config().at("entropy_norm_classes").get<int64_t>()),
                     golden["output/scale"], golden.tolerance());
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(EntropyDrivenGolden);
INSTANTIATE_TEST_SUITE_P(Math, EntropyDrivenGolden, ::testing::ValuesIn(golden_files("math/samplers", "eds_scale")),
                         golden_name);

class ClassifierFreeGolden : public ::testing::TestWithParam<std::filesystem::path> {};

TEST_P(ClassifierFreeGolden, MixesAsHoAndSalimansDo) {
  const Golden golden(GetParam());
  const Tensor w = golden["input/w"];
  for (int64_t i = 0; i < w.size(0); ++i) {
    EXPECT_TENSOR_NEAR(classifier_free(golden["input/eps_cond"], golden["input/eps_uncond"], 1 + w[i].item<double>()),
                       golden["output/ho_salimans_" + std::to_string(i)], (Tolerance{1e-14, golden.tolerance().rtol}));
  }
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ClassifierFreeGolden);
INSTANTIATE_TEST_SUITE_P(Math, ClassifierFreeGolden, ::testing::ValuesIn(golden_files("math/samplers", "cfg_formula")),
                         golden_name);

}  // namespace
}  // namespace sextant::guidance
