// Words as they are typed, before CLI11 sees them.
#include "words.h"

#include <fstream>

#include "cli/program.h"
#include "internal/runtime/files.h"
#include "sextant/runtime/error.h"
#include "support/errors.h"

namespace sextant::cli::testing {
namespace {

namespace fs = std::filesystem;
using sextant::testing::message_of;
using Words = std::vector<std::string>;

const std::map<std::string, Takes> kFlags = {{"--out", Takes::kText},
                                             {"--at", Takes::kTextOrEmpty},
                                             {"--tilt", Takes::kTextOrEmpty},
                                             {"--quiet", Takes::kNothing},
                                             {"-h", Takes::kNothing}};

std::string refusal(const Words& words) {
  return message_of<UsageError>([&] { checked_words(words, kFlags); });
}

TEST(Words, ThatAreRightStayAsTheyAre) {
  for (const Words& words : std::vector<Words>{{},
                                               {"--out", "o", "--quiet", "file"},
                                               {"--out=o", "--quiet=false"},
                                               {"--tilt", "-0.2"},
                                               {"--out=--quiet"},
                                               {"--out", "--quite"},
                                               {"--nosuch=", "--nosuch", "--out", "o"},
                                               {"--quiet", "--", "--out", ""}}) {
    EXPECT_EQ(checked_words(words, kFlags), words);
  }
}

TEST(Words, AnEmptyTextIsOneWordOfItsOwn) {
  EXPECT_EQ(checked_words({"--at=", "--quiet"}, kFlags), (Words{"--at", "", "--quiet"}));
  EXPECT_EQ(checked_words({"--at", "", "file"}, kFlags), (Words{"--at", "", "file"}));
}

TEST(Words, AFlagIsNoValue) {
  EXPECT_EQ(refusal({"--out"}), "--out needs a value");
  EXPECT_EQ(refusal({"--out", "--quiet"}), "--out needs a value; '--quiet' is a flag");
  EXPECT_EQ(refusal({"--out", "--tilt=1"}), "--out needs a value; '--tilt=1' is a flag");
  EXPECT_EQ(refusal({"--tilt", "-h"}), "--tilt needs a value; '-h' is a flag");
}

TEST(Words, AnEmptyTextIsRefusedWhereNothingSaysWhatItMeans) {
  for (const Words& words : std::vector<Words>{{"--out="}, {"--out", ""}, {"--out=", "--quiet"}}) {
    EXPECT_EQ(refusal(words), "--out is empty; give it a value, or leave the flag out");
  }
  EXPECT_EQ(refusal({"--quiet", ""}), "unexpected '': an empty text is no flag and names no file");
}

TEST(Words, ASwitchIsTrueOrFalse) {
  for (const char* word : {"--quiet=", "--quiet=1", "--quiet=maybe"}) {
    EXPECT_EQ(refusal({word}), "--quiet is a switch: give it alone, or as --quiet=true or --quiet=false, got '" +
                                   std::string(word) + "'");
  }
}

/// What the program says about these words after those of a small run.
std::string said(const fs::path& out, const Words& more) {
  const Outcome outcome = sextant(small_run(out, more));
  EXPECT_EQ(outcome.exit_code, 2) << outcome.err;
  EXPECT_FALSE(fs::exists(out)) << outcome.err;
  return outcome.err;
}

TEST(EmptyFlags, AreRefusedByEveryKindOfFlag) {
  const TemporaryFolder folder;
  for (const char* flag : {"--out", "--classifier", "--recipe", "--rank", "--device", "--labels"}) {
    const std::string message =
        "sextant sample: " + std::string(flag) + " is empty; give it a value, or leave the flag out\n";
    EXPECT_EQ(said(folder / "o", {std::string(flag) + "=", "--quiet"}), message);
    EXPECT_EQ(said(folder / "o", {flag, ""}), message);
  }
  EXPECT_NE(said(folder / "o", {"--threads=", "--quiet"}).find("--threads must be a whole number"), std::string::npos);
  EXPECT_NE(said(folder / "o", {"--sampler="}).find("--sampler '' is unknown; use"), std::string::npos);
  EXPECT_EQ(said(folder / "o", {"--sampler="}).find("Did you mean"), std::string::npos);
  EXPECT_EQ(sextant({"evaluate", "", "--reference", "x"}).err,
            "sextant evaluate: unexpected '': an empty text is no flag and names no file\n");
}

TEST(EmptyFlags, KeepTheMeaningThatTheirHelpTells) {
  const TemporaryFolder folder;
  const Outcome outcome = sextant(small_run(folder / "o", {"--arch", "", "--cfg-interval=", "--attribute-weights="}));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
}

TEST(EmptyFlags, ResetASettingInARecipe) {
  const TemporaryFolder folder;
  write_atomically(folder / "r.toml", "[classifier]\nclassifier = \"\"\n[model]\narch = \"\"\n");
  const Outcome outcome = sextant({"sample", "--recipe", folder / "r.toml", "--model", bundled("mnist-adm"), "--count",
                                   "1", "--steps", "2", "--threads", "1", "--out", folder / "o"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
}

TEST(EmptyFlags, AFolderOfNoNameIsToldAsOne) {
  const TemporaryFolder folder;
  write_atomically(folder / "r.toml", "[sample]\nout = \"\"\n");
  const Outcome outcome = sextant({"sample", "--recipe", folder / "r.toml", "--model", bundled("mnist-adm")});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_EQ(outcome.err, "sextant sample: out is empty; name the folder that the results go to\n");
}

}  // namespace
}  // namespace sextant::cli::testing
