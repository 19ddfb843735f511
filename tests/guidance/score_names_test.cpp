// Scores by name, and the settings that they and a guide refuse.
#include "internal/guidance/score_terms.h"
#include "sextant/guidance/guide.h"
#include "sextant/runtime/error.h"
#include "support/errors.h"
#include "support/golden.h"

namespace sextant::guidance {
namespace {

std::vector<std::string> words_of(const std::string& name) {
  std::vector<std::string> words;
  for (const ScoreTerm* term : terms_of(name)) words.emplace_back(term->word);
  return words;
}

std::string refusal(const std::string& name, const ScoreConfig& config = {}) {
  return sextant::testing::message_of<UsageError>([&] { parse_score(name, config); });
}

std::string refusal(const GuideConfig& config) {
  return sextant::testing::message_of<UsageError>([&] { check_config(config); });
}

const Tensor kExample = at::tensor({2.0, 0.0, -1.0}, at::kDouble).unsqueeze(0);
const Tensor kExampleLabel = at::zeros({1}, at::kLong);

TEST(ScoreNames, EachStandForTheirTerms) {
  using Words = std::vector<std::string>;
  EXPECT_EQ(words_of("plain"), Words{"plain"});
  EXPECT_EQ(words_of("js"), (Words{"plain", "js"}));
  EXPECT_EQ(words_of("js+entropy"), (Words{"plain", "js", "entropy"}));
  EXPECT_EQ(words_of("plain + rkl"), (Words{"plain", "rkl"}));
  for (const std::string& name : score_words()) EXPECT_EQ(refusal(name), "");
}

TEST(ScoreNames, AreCheckedWhenTheProgramIsCompiled) {
  static_assert(is_score_name("plain") && is_score_name("js+entropy") && is_score_name(" js + alpha-div "));
  static_assert(!is_score_name("jss") && !is_score_name("js+entropi") && !is_score_name("js + "));
  static_assert(!is_score_name("") && !is_score_name("none") && !is_score_name("JS"));
  EXPECT_EQ(ScoreName("js+entropy").text(), "js+entropy");
}

TEST(ScoreNames, GiveTheValuesOfThePaperNotesExample) {
  ScoreConfig config;
  config.temperatures = {1.0, 0.5};
  const Step first{249, 250};
  for (const auto& [name, value] : {std::pair{"plain", 0.5356312159},
                                    {"entropy", 0.6404845392},
                                    {"rkl", 0.4775366115},
                                    {"fkl", 0.4919350589},
                                    {"js", 0.5239412323},
                                    {"hellinger", 0.5112945668}}) {
    EXPECT_NEAR(parse_score(name, config)(kExample, kExampleLabel, first).value.item<double>(), value, 1e-10) << name;
  }
}

TEST(ScoreNames, ReadTheSettingsThatTheirTableSays) {
  const std::vector<std::pair<std::string, std::function<void(ScoreConfig&)>>> changes = {
      {"joint-temperature", [](auto& c) { c.temperatures.joint = 1.5; }},
      {"marginal-temperature", [](auto& c) { c.temperatures.marginal = 0.5; }},
      {"alpha", [](auto& c) { c.divergence.alpha = 0.7; }},
      {"epsilon", [](auto& c) { c.divergence.epsilon = 0.7; }},
      {"js-form", [](auto& c) { c.js_form = JensenShannonForm::kPaper; }},
      {"divergence-order", [](auto& c) { c.divergence_order = 1.7; }},
      {"lambda-max", [](auto& c) { c.lambda_max = 0.7; }},
      {"lambda-min", [](auto& c) { c.lambda_min = 0.1; }},
      {"lambda-shape", [](auto& c) { c.lambda_shape = LambdaShape::kNoise; }},
  };
  const Step step{3, 10};
  for (const ScoreTerm& term : kScoreTerms) {
    const Tensor before = term.score(kExample, kExampleLabel, step, {}).value;
    std::vector<std::string> read;
    for (const auto& [setting, change] : changes) {
      ScoreConfig config;
      change(config);
      if (!term.score(kExample, kExampleLabel, step, config).value.equal(before)) read.push_back(setting);
    }
    EXPECT_EQ(read, std::vector<std::string>(term.settings.begin(), term.settings.end())) << term.word;
  }
}

TEST(ScoreNames, SuggestTheNearestWhenUnknown) {
  EXPECT_NE(refusal("helinger").find("Did you mean 'hellinger'?"), std::string::npos) << refusal("helinger");
  EXPECT_NE(refusal("js+entropi").find("Did you mean 'entropy'?"), std::string::npos);
  EXPECT_NE(refusal("tilted").find("setting of its own"), std::string::npos);
  EXPECT_NE(refusal("none").find("no guide"), std::string::npos);
  EXPECT_NE(refusal("jss").find("plain, entropy, rkl, fkl, js, hellinger, chi2, alpha-div"), std::string::npos);
}

TEST(ScoreNames, RefuseEmptyAndRepeatedTerms) {
  EXPECT_NE(refusal(""), "");
  EXPECT_NE(refusal("js+"), "");
  EXPECT_NE(refusal("js+js").find("twice"), std::string::npos);
}

TEST(Sum, AddsScoresAndRefusesNone) {
  const ScoreFunction plain = named_score("plain");
  const ScoreFunction js = [](const Tensor& f, const Tensor& y, const Step&) { return jensen_shannon(f, y, {}); };
  const Score summed = sum({plain, js})(kExample, kExampleLabel, {});
  const Score named = named_score("js")(kExample, kExampleLabel, {});
  EXPECT_TRUE(summed.value.equal(named.value));
  EXPECT_TRUE(summed.gradient.equal(named.gradient));
  EXPECT_THROW(sum({}), UsageError);
  EXPECT_THROW(sum({plain, nullptr}), UsageError);
}

TEST(ScoreConfig, RefusesEverySettingOutOfRangeByName) {
  const double nan = std::nan("");
  const auto with = [](auto set, const std::string& name = "plain") {
    ScoreConfig config;
    set(config);
    return refusal(name, config);
  };
  const std::vector<std::pair<std::string, std::string>> refusals = {
      {"alpha", with([=](auto& c) { c.divergence.alpha = nan; })},
      {"alpha", with([](auto& c) { c.divergence.alpha = -1; })},
      {"epsilon", with([](auto& c) { c.divergence.epsilon = 1.01; })},
      {"epsilon", with([](auto& c) { c.divergence.epsilon = -0.01; })},
      {"joint-temperature", with([](auto& c) { c.temperatures.joint = 0; })},
      {"marginal-temperature", with([](auto& c) { c.temperatures.marginal = -1; })},
      {"lambda-min", with([](auto& c) { c.lambda_min = -1; })},
      {"lambda-max", with([](auto& c) { c.lambda_max = 0.01; })},
      {"divergence-order", with([](auto& c) { c.divergence_order = 2.5; }, "alpha-div")},
      {"target distribution", with([](auto& c) { c.divergence.target = at::full({4}, 0.5); }, "js")},
  };
  for (const auto& [setting, message] : refusals) {
    EXPECT_NE(message.find(setting), std::string::npos) << setting << ": " << message;
  }
}

TEST(ScoreConfig, RefusesAOneHotTargetWhereTheDivergenceIsInfiniteAndNowhereElse) {
  ScoreConfig config;
  config.divergence.epsilon = 1;
  for (const std::string& name : score_words()) {
    EXPECT_EQ(refusal(name, config).empty(), name != "fkl" && name != "chi2") << name;
  }
  config.divergence_order = 1;
  EXPECT_NE(refusal("alpha-div", config), "");
}

TEST(ScoreConfig, AllowsPureJointGuidance) {
  ScoreConfig config;
  config.temperatures.marginal = 0;
  EXPECT_EQ(refusal("plain", config), "");
}

TEST(ScoreConfig, TakesATargetForEverySampleOrForAll) {
  ScoreConfig config;
  config.divergence.target = at::full({3}, 1 / 3.0, at::kDouble);
  const Tensor for_all = named_score("js", config)(kExample, kExampleLabel, {}).value;
  config.divergence.target = at::full({1, 3}, 1 / 3.0, at::kDouble);
  EXPECT_TRUE(named_score("js", config)(kExample, kExampleLabel, {}).value.equal(for_all));
}

TEST(GuideConfig, OfTheDefaultsIsAccepted) { EXPECT_EQ(refusal(GuideConfig{}), ""); }

TEST(GuideConfig, RefusesEverySettingOutOfRangeByName) {
  const double nan = std::nan("");
  const auto with = [](auto set) {
    GuideConfig config;
    set(config);
    return refusal(config);
  };
  const std::vector<std::pair<std::string, std::string>> refusals = {
      {"tilt", with([=](auto& c) { c.tilt = nan; })},
      {"tilt-group", with([](auto& c) { c.tilt_group = -1; })},
      {"scale", with([=](auto& c) { c.scale = nan; })},
      {"gamma-factor", with([](auto& c) { c.gamma_factor = -0.1; })},
      {"entropy-classes", with([](auto& c) { c.entropy_classes = 1; })},
      {"guidance-interval", with([](auto& c) { c.interval.low = -0.1; })},
      {"guidance-interval", with([](auto& c) { c.interval.high = 1.1; })},
      {"guidance-interval", with([](auto& c) { c.interval.low = 0.6, c.interval.high = 0.5; })},
  };
  for (const auto& [setting, message] : refusals) {
    EXPECT_NE(message.find(setting), std::string::npos) << setting << ": " << message;
  }
}

}  // namespace
}  // namespace sextant::guidance
