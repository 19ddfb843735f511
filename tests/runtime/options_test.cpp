#include "internal/runtime/options.h"

#include <gtest/gtest.h>

#include "internal/runtime/option_rows.h"
#include "internal/runtime/text.h"
#include "sextant/runtime/error.h"

namespace sextant {
namespace {

using nlohmann::json;
using ::testing::Test;

enum class Rounding { kTruncate, kNearest };

struct Settings {
  Rounding rounding = Rounding::kTruncate;
  Interval interval{0, 1};
  std::optional<Interval> levels;
  uint64_t seed = 0;
  std::string score = "plain";
  std::string sampler = "ddim";
  std::string labels = "random";
  double alpha = 0.1;
  double scale = 1;
  int64_t steps = 50;
  bool entropy_driven = false;
};

class Options : public Test {
 protected:
  Settings settings;
  OptionTable table{
      "sextant sample",
      {{"guidance",
        "Guidance",
        {{"--guidance", &settings.score, SumOf{{"plain", "rkl", "js", "hellinger"}}, "Score to climb", ""},
         {"--alpha", &settings.alpha, Range{0, 10}, "Divergence weight", ""},
         {"--scale", &settings.scale, Range{0, kUnlimited, true}, "Guidance scale", ""},
         {"--entropy-driven", &settings.entropy_driven, Anything{}, "Scale by log K / H", ""}}},
       {"sampler",
        "Sampler",
        {{"--sampler", &settings.sampler, OneOf{{"ddpm", "ddim"}}, "Sampling loop", ""},
         {"--steps", &settings.steps, Range{1, 1000}, "Respaced steps", ""},
         {"--labels", &settings.labels, Anything{}, "Classes to draw", "LIST"},
         {"--seed", &settings.seed, Range{0, kUnlimited}, "Seed", ""},
         {"--interval", &settings.interval, Range{0, 1}, "Share of the steps", ""},
         {"--levels", &settings.levels, Range{0, kUnlimited}, "Noise levels; empty is all", ""},
         choice("--rounding", &settings.rounding, {{"truncate", Rounding::kTruncate}, {"nearest", Rounding::kNearest}},
                "Pixels to bytes")}}}};

  /// As the program prints it.
  std::string help() const { return help_of(table.groups(), table.to_json(), kHelpColumns); }

  std::string error_of_set(const std::string& flag, const std::string& text) {
    try {
      table.set(flag, text);
    } catch (const UsageError& error) {
      return error.what();
    }
    return "";
  }

  std::string error_of_merge(const json& recipe) {
    try {
      table.merge(recipe, "demo.toml");
    } catch (const UsageError& error) {
      return error.what();
    }
    return "";
  }
};

TEST_F(Options, StoreWhatTheFlagsSay) {
  table.set("--alpha", "0.09");
  table.set("--steps", "25");
  table.set("--guidance", "js+rkl");
  table.set("--entropy-driven", "true");
  EXPECT_EQ(settings.alpha, 0.09);
  EXPECT_EQ(settings.steps, 25);
  EXPECT_EQ(settings.score, "js+rkl");
  EXPECT_TRUE(settings.entropy_driven);
}

TEST_F(Options, RejectValuesOutsideTheirRangeAndKeepTheOldOne) {
  EXPECT_EQ(error_of_set("--alpha", "-1"), "--alpha must be a number from 0 to 10, got '-1'");
  EXPECT_EQ(error_of_set("--steps", "0"), "--steps must be a whole number from 1 to 1000, got '0'");
  EXPECT_EQ(error_of_set("--scale", "0"), "--scale must be a number above 0, got '0'");
  EXPECT_EQ(settings.alpha, 0.1);
}

TEST_F(Options, RejectWhatIsNoNumber) {
  for (const char* text : {"nan", "NaN", "-nan", "inf", "1e999", "", "1x", " 1", "0x10", "--scale"}) {
    EXPECT_NE(error_of_set("--alpha", text), "") << text;
    EXPECT_NE(error_of_set("--scale", text), "") << text;
    EXPECT_NE(error_of_set("--steps", text), "") << text;
  }
  EXPECT_NE(error_of_set("--steps", "2.5"), "");
  EXPECT_NE(error_of_set("--steps", "99999999999999999999"), "");
}

TEST_F(Options, SuggestTheNearestName) {
  EXPECT_EQ(error_of_set("--sampler", "ddimm"), "--sampler 'ddimm' is unknown; use ddpm or ddim. Did you mean 'ddim'?");
  EXPECT_EQ(error_of_set("--guidance", "js+hellingr"),
            "--guidance 'hellingr' is unknown; use plain, rkl, js or hellinger. Did you mean 'hellinger'?");
  EXPECT_EQ(error_of_set("--guidance", "js+js"), "--guidance 'js+js' names js twice");
  EXPECT_EQ(error_of_set("--alhpa", "1"), "unknown flag '--alhpa'. Did you mean '--alpha'?");
}

TEST_F(Options, ReadRecipesByTheSameNames) {
  table.merge(json::parse(R"({"guidance": {"alpha": 1, "entropy_driven": true}, "sampler": {"labels": [3, "5-7"]}})"),
              "demo.toml");
  EXPECT_EQ(settings.alpha, 1);
  EXPECT_TRUE(settings.entropy_driven);
  EXPECT_EQ(settings.labels, "3,5-7");
  EXPECT_EQ(settings.steps, 50);
}

TEST_F(Options, RejectUnknownOrMistypedRecipeSettings) {
  EXPECT_EQ(
      error_of_merge({{"guidence", json::object()}}),
      "demo.toml: unknown table [guidence]; sextant sample reads [guidance], [sampler]. Did you mean 'guidance'?");
  EXPECT_EQ(error_of_merge({{"guidance", {{"alhpa", 1}}}}),
            "demo.toml: unknown key 'alhpa' in [guidance]. Did you mean 'alpha'?");
  EXPECT_EQ(error_of_merge({{"guidance", {{"steps", 1}}}}),
            "demo.toml: unknown key 'steps' in [guidance]; it belongs in [sampler]");
  EXPECT_EQ(error_of_merge({{"entropy_driven", true}}),
            "demo.toml: key 'entropy_driven' stands in no table; it belongs in [guidance]");
  EXPECT_EQ(error_of_merge({{"entropy", true}}),
            "demo.toml: unknown key 'entropy' outside of tables; sextant sample reads [guidance], [sampler].");
  EXPECT_EQ(error_of_merge({{"rows", {{{"name", "a"}}}}}),
            "demo.toml: unknown table [rows]; sextant sample reads [guidance], [sampler].");
  EXPECT_EQ(error_of_merge({{"guidance", {{"alpha", "1"}}}}),
            "demo.toml: [guidance] alpha must be a number, got \"1\"");
  EXPECT_EQ(error_of_merge({{"sampler", {{"steps", 2.5}}}}),
            "demo.toml: [sampler] steps must be a whole number, got 2.5");
  EXPECT_EQ(error_of_merge({{"guidance", 3}}), "demo.toml: guidance must be a table, [guidance]");
  EXPECT_EQ(error_of_merge({{"guidance", {{"alpha", std::nan("")}}}}),
            "demo.toml: [guidance] --alpha must be a number from 0 to 10, got 'nan'");
}

TEST_F(Options, RepeatThemselvesThroughTheirJson) {
  table.set("--alpha", "0.30000000000000004");
  table.set("--labels", "0-9");
  const json written = json::parse(table.to_json().dump());
  settings = Settings();
  table.merge(written, "run.json");
  EXPECT_EQ(settings.alpha, 0.30000000000000004);
  EXPECT_EQ(table.to_json(), written);
}

TEST_F(Options, TurnWordsIntoValues) {
  table.set("--rounding", "nearest");
  EXPECT_EQ(settings.rounding, Rounding::kNearest);
  EXPECT_EQ(table.to_json()["sampler"]["rounding"], "nearest");
  table.merge({{"sampler", {{"rounding", "truncate"}}}}, "demo.toml");
  EXPECT_EQ(settings.rounding, Rounding::kTruncate);
  EXPECT_EQ(error_of_set("--rounding", "neerest"),
            "--rounding 'neerest' is unknown; use truncate or nearest. Did you mean 'nearest'?");
  EXPECT_EQ(error_of_merge({{"sampler", {{"rounding", 1}}}}),
            "demo.toml: [sampler] --rounding '1' is unknown; use truncate or nearest.");
  EXPECT_NE(help().find("--rounding NAME             Pixels to bytes (truncate, nearest) [default truncate]"),
            std::string::npos)
      << help();
}

TEST_F(Options, ReadIntervals) {
  table.set("--interval", "0.25,0.5");
  EXPECT_EQ(settings.interval, (Interval{0.25, 0.5}));
  EXPECT_EQ(table.to_json()["sampler"]["interval"], "0.25,0.5");
  table.merge({{"sampler", {{"interval", {0, 0.5}}, {"levels", "0.3,80"}}}}, "demo.toml");
  EXPECT_EQ(settings.interval, (Interval{0, 0.5}));
  EXPECT_EQ(settings.levels, (Interval{0.3, 80}));
  table.set("--levels", "");
  EXPECT_EQ(settings.levels, std::nullopt);
  EXPECT_EQ(table.to_json()["sampler"]["levels"], "");
  for (const char* text : {"0.5", "0.5,", ",1", "0.5,0.2", "-1,1", "0,2", "0,1,2", "nan,1", "0, 1", ""}) {
    EXPECT_EQ(error_of_set("--interval", text),
              "--interval must be LO,HI with 0 <= LO <= HI <= 1, got '" + std::string(text) + "'");
  }
  EXPECT_EQ(error_of_set("--levels", "2,inf"), "--levels must be LO,HI with 0 <= LO <= HI, got '2,inf'");
}

TEST_F(Options, ReadNumbersWithoutASign) {
  table.set("--seed", "18446744073709551615");
  EXPECT_EQ(settings.seed, 18446744073709551615U);
  const json written = json::parse(table.to_json().dump());
  settings.seed = 0;
  table.merge(written, "run.json");
  EXPECT_EQ(settings.seed, 18446744073709551615U);
  EXPECT_EQ(error_of_set("--seed", "-1"), "--seed must be a whole number 0 or more, got '-1'");
}

TEST_F(Options, CheckWhatWasSetBesideTheTable) {
  EXPECT_NO_THROW(table.check());
  const auto error = [&] {
    try {
      table.check();
    } catch (const UsageError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  settings.alpha = 11;
  EXPECT_EQ(error(), "--alpha must be a number from 0 to 10, got '11'");
  settings = Settings();
  settings.interval = {0.5, 0.25};
  EXPECT_EQ(error(), "--interval must be LO,HI with 0 <= LO <= HI <= 1, got '0.5,0.25'");
  settings = Settings();
  settings.sampler = "ddimm";
  EXPECT_EQ(error(), "--sampler 'ddimm' is unknown; use ddpm or ddim. Did you mean 'ddim'?");
}

TEST_F(Options, HelpShowsEveryFlagWithItsRangeAndDefault) {
  EXPECT_NE(help().find("--alpha X                   Divergence weight (from 0 to 10) [default 0.1]"),
            std::string::npos)
      << help();
  EXPECT_NE(help().find("--labels LIST"), std::string::npos);
  EXPECT_NE(help().find("ddpm, ddim"), std::string::npos);
  settings.alpha = 5;  // the reference tells the default, not the present value
  const std::string page = table.markdown();
  EXPECT_NE(page.find("| `--alpha X` | from 0 to 10 | `0.1` | Divergence weight |"), std::string::npos) << page;
  for (const std::string& flag : table.flags()) {
    EXPECT_NE(help().find(flag), std::string::npos) << flag;
    EXPECT_NE(page.find("`" + flag), std::string::npos) << flag;
  }
}

TEST_F(Options, HelpHasLinesOfTheTerminal) {
  for (const std::size_t columns : {40U, 60U, 80U, 110U}) {
    const std::string help = help_of(table.groups(), table.to_json(), columns);
    for (const std::string& line : split(help, '\n')) EXPECT_LE(line.size(), columns) << line;
    for (const std::string& flag : table.flags()) EXPECT_NE(help.find(flag), std::string::npos) << flag;
  }
  EXPECT_EQ(help_row("--alpha X", "Divergence weight", 40), "  --alpha X\n      Divergence weight\n");
}

TEST_F(Options, OfTextAreUtf8) {
  table.set("--labels", "caf\xc3\xa9");
  EXPECT_EQ(settings.labels, "caf\xc3\xa9");
  EXPECT_EQ(error_of_set("--labels", "caf\xe9"),
            "--labels must be UTF-8, got 'caf\\xe9'; give a file or folder another name");
  EXPECT_EQ(settings.labels, "caf\xc3\xa9");
}

TEST(IdleSettings, AreThoseThatWereSetBesideAConditionThatTheyLack) {
  const json standard = {{"guidance", {{"scale", 1}, {"tilt", 0}, {"alpha", 0.1}}}};
  const json now = {{"guidance", {{"scale", 3}, {"tilt", 0}, {"alpha", 0.2}, {"new", 1}}}};
  const std::vector<std::pair<std::string, std::string>> idle =
      idle_settings({{false, "without a guide", "guidance", {"scale", "tilt", "new"}},
                     {true, "without a divergence", "guidance", {"alpha"}},
                     {false, "for another reason", "guidance", {"scale"}}},
                    now, standard);
  // Not what is as it was, nor what the table has no standard for; each once, with the first reason.
  EXPECT_EQ(idle, (std::vector<std::pair<std::string, std::string>>{{"scale", "without a guide"}}));
}

}  // namespace
}  // namespace sextant
