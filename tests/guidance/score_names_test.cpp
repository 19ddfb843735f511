#include "sextant/guidance/guide.h"
#include "sextant/runtime/error.h"
#include "support/errors.h"
#include "support/golden.h"
#include "terms.h"

namespace sextant::guidance {
namespace {

std::string refusal(const std::string& name) {
  return sextant::testing::message_of<UsageError>([&] { parse_score(name); });
}

std::string refusal(const GuideConfig& config) {
  return sextant::testing::message_of<UsageError>([&] { check_config(config); });
}

TEST(ScoreNames, EachStandForTheirTerms) {
  EXPECT_TRUE(parse_score("plain").empty());
  EXPECT_EQ(parse_score("js"), std::vector<Term>{Term::kJensenShannon});
  EXPECT_EQ(parse_score("js+entropy"), (std::vector<Term>{Term::kJensenShannon, Term::kEntropy}));
  EXPECT_EQ(parse_score("plain + rkl"), std::vector<Term>{Term::kReverseKl});
  for (const std::string& name : score_names()) EXPECT_EQ(refusal(name), "");
}

TEST(ScoreNames, SuggestTheNearestWhenUnknown) {
  EXPECT_NE(refusal("helinger").find("Did you mean 'hellinger'?"), std::string::npos) << refusal("helinger");
  EXPECT_NE(refusal("js+entropi").find("Did you mean 'entropy'?"), std::string::npos);
  EXPECT_NE(refusal("tilted").find("setting of its own"), std::string::npos);
  EXPECT_NE(refusal("none").find("no guide"), std::string::npos);
}

TEST(ScoreNames, RefuseEmptyAndRepeatedTerms) {
  EXPECT_NE(refusal(""), "");
  EXPECT_NE(refusal("js+"), "");
  EXPECT_NE(refusal("js+js").find("twice"), std::string::npos);
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
      {"score", with([](auto& c) { c.score = "jss"; })},
      {"alpha", with([=](auto& c) { c.divergence.alpha = nan; })},
      {"alpha", with([](auto& c) { c.divergence.alpha = -1; })},
      {"epsilon", with([](auto& c) { c.divergence.epsilon = 1.01; })},
      {"epsilon", with([](auto& c) { c.divergence.epsilon = -0.01; })},
      {"joint temperature", with([](auto& c) { c.temperatures.joint = 0; })},
      {"marginal temperature", with([](auto& c) { c.temperatures.marginal = -1; })},
      {"lambda-min", with([](auto& c) { c.lambda_min = -1; })},
      {"lambda-max", with([](auto& c) { c.lambda_max = 0.01; })},
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

TEST(GuideConfig, RefusesForwardKlWithAOneHotTargetButNotTheOthers) {
  GuideConfig config;
  config.divergence.epsilon = 1;
  for (const std::string& name : score_names()) {
    config.score = name;
    EXPECT_EQ(refusal(config).empty(), name != "fkl") << name;
  }
}

TEST(GuideConfig, AllowsPureJointGuidance) {
  GuideConfig config;
  config.temperatures.marginal = 0;
  EXPECT_EQ(refusal(config), "");
}

}  // namespace
}  // namespace sextant::guidance
