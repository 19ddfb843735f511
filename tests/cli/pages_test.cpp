// Man pages and completion, as roff and the shells read them.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <sstream>

#include "cli/program.h"
#include "command.h"
#include "completion.h"
#include "help.h"
#include "internal/runtime/files.h"
#include "manual.h"
#include "sextant/runtime/error.h"

namespace sextant::cli::testing {
namespace {

bool is_there(const std::string& program) {
  return std::system(("command -v " + program + " >/dev/null 2>&1").c_str()) == 0;
}

/// What a shell command prints, errors too.
std::string printed(const std::string& command) {
  FILE* const pipe = popen((command + " 2>&1").c_str(), "r");
  std::string text;
  for (int letter = std::fgetc(pipe); letter != EOF; letter = std::fgetc(pipe)) text += static_cast<char>(letter);
  pclose(pipe);
  return text;
}

std::set<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::set<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.insert(line);
  return lines;
}

/// What bash offers after these words, of which the last is unfinished, as readline cuts them.
std::set<std::string> offered_by_bash(const std::string& words) {
  const TemporaryFolder folder;
  write_atomically(folder / "sextant", completion("bash"));
  return lines_of(printed("cd " + folder.path().string() + " && bash --norc -c '. ./sextant; COMP_WORDS=(" + words +
                          "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _sextant; printf \"%s\\n\" \"${COMPREPLY[@]}\"'"));
}

using Offered = std::set<std::string>;

TEST(Manual, HasEveryFlagOfEveryCommandAndRoffHasNothingToSay) {
  const bool groff = is_there("groff");
  const TemporaryFolder folder;
  for (const Command& command : commands()) {
    const std::string page = manual_page(command);
    const std::string file = folder / ("sextant-" + command.name + ".1");
    write_atomically(file, page);
    if (!groff) continue;
    EXPECT_EQ(printed("groff -man -Tutf8 -ww -z " + file), "");
    const std::string text = printed("groff -man -Tascii -P-cbou -rLL=200n " + file);
    for (const std::string& flag : command.open().table.flags()) {
      EXPECT_NE(text.find("       " + flag), std::string::npos) << command.name << " " << flag;
    }
    EXPECT_NE(text.find("EXIT STATUS"), std::string::npos);
  }
  EXPECT_EQ(sextant({"help", "--man", "sample"}).out, manual_page(command_named("sample")));
  EXPECT_NE(sextant({"help", "--man"}).out.find("\\fBsextant\\-calibrate\\fR(1)"), std::string::npos);
  if (!groff) GTEST_SKIP() << "no groff on this machine: the pages have not been set";
}

TEST(Completion, OfBashOffersCommandsFlagsAndTheirWords) {
  EXPECT_EQ(offered_by_bash("sextant sa"), Offered{"sample"});
  EXPECT_EQ(offered_by_bash("sextant sample --gamma-m"), Offered{"--gamma-max"});
  EXPECT_EQ(offered_by_bash("sextant sample --precision \"\""), (Offered{"bf16", "fp16", "fp32", "tf32"}));
  EXPECT_EQ(offered_by_bash("sextant sample --precision = b"), Offered{"bf16"});
  EXPECT_EQ(offered_by_bash("sextant sample --count \"\""), Offered{""}) << "a number cannot be completed";
  EXPECT_EQ(offered_by_bash("sextant help --completion z"), Offered{"zsh"});
}

TEST(Completion, OfBashGoesOnBehindTheLastPlusOfASum) {
  EXPECT_EQ(offered_by_bash("sextant sample --guidance js+en"), Offered{"js+entropy"});
  EXPECT_EQ(offered_by_bash("sextant sample --guidance = js+en"), Offered{"js+entropy"});
  EXPECT_EQ(offered_by_bash("sextant sample --guidance no"), Offered{"none"});
  EXPECT_EQ(offered_by_bash("sextant sample --guidance js+no"), Offered{""}) << "none stands alone";
  EXPECT_EQ(offered_by_bash("sextant sample --guidance js+rkl+j"), Offered{""}) << "each once";
  EXPECT_EQ(offered_by_bash("sextant evaluate --metrics fid+al"), Offered{""});
}

TEST(Completion, OfBashOffersFilesWhereAPathIsWanted) {
  EXPECT_EQ(offered_by_bash("sextant sample --model sex"), Offered{"sextant"});
  EXPECT_EQ(offered_by_bash("sextant inspect sex"), Offered{"sextant"});
  EXPECT_EQ(offered_by_bash("sextant sample sex"), Offered{""}) << "it takes none";
}

TEST(Completion, OffersDevicesAndArchitecturesOfTheKindThatIsAsked) {
  EXPECT_EQ(offered_by_bash("sextant sample --device c"), (Offered{"cpu", "cuda"}));
  EXPECT_EQ(offered_by_bash("sextant sweep --device a"), Offered{"auto"});
  EXPECT_EQ(offered_by_bash("sextant sample --classifier-arch resnet101"), Offered{"resnet101"});
  EXPECT_EQ(offered_by_bash("sextant sample --arch resnet101"), Offered{""}) << "it does not draw";
  EXPECT_EQ(offered_by_bash("sextant sample --arch adm128-c"), Offered{"adm128-cond"});
  EXPECT_EQ(offered_by_bash("sextant train --arch resnet101"), Offered{"resnet101"});
  EXPECT_NE(completion("fish").find(" -l device -x -a 'auto cpu cuda'"), std::string::npos);
}

TEST(Completion, OfFishOffersTheSame) {
  if (!is_there("fish")) GTEST_SKIP() << "no fish on this machine";
  const TemporaryFolder folder;
  write_atomically(folder / "sextant.fish", completion("fish"));
  const auto offered = [&](const std::string& line) {
    return printed("cd " + folder.path().string() +
                   " && HOME=. fish --no-config -c 'source sextant.fish; complete -C \"" + line + "\"'");
  };
  EXPECT_EQ(offered("sextant sa").rfind("sample\tDraw samples", 0), 0) << offered("sextant sa");
  const std::string precision = offered("sextant sample --precision b");
  EXPECT_EQ(precision.substr(0, precision.find('\t')), "bf16") << precision;
  EXPECT_EQ(std::count(precision.begin(), precision.end(), '\n'), 1) << "one word, with the flag's sentence beside it";
  EXPECT_EQ(offered("sextant sample --gamma-m").rfind("--gamma-max\t", 0), 0);
  EXPECT_EQ(offered("sextant sample --guidance js+en").rfind("js+entropy\t", 0), 0);
  EXPECT_EQ(offered("sextant sample --guidance=js+rkl+en").find("js+rkl+entropy"), std::string("--guidance=").size());
  EXPECT_EQ(offered("sextant sample --guidance js+no").find("js+none"), std::string::npos) << "none stands alone";
  EXPECT_EQ(offered("sextant evaluate --metrics fid+fi").rfind("fid+fid-infinity\t", 0), 0);
}

TEST(Completion, OfZshIsReadWithoutComplaint) {
  if (!is_there("zsh")) GTEST_SKIP() << "no zsh on this machine";
  const TemporaryFolder folder;
  write_atomically(folder / "_sextant", completion("zsh"));
  EXPECT_EQ(printed("zsh -f -n " + (folder / "_sextant").string()), "");
  EXPECT_EQ(printed("zsh -f -c 'autoload -U compinit && compinit -D -u && . " + (folder / "_sextant").string() +
                    " && print ${_comps[sextant]}'"),
            "_sextant\n");
}

TEST(Completion, IsForThreeShells) {
  const Outcome outcome = sextant({"help", "--completion", "tcsh"});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_EQ(outcome.err, "sextant: completion is for bash, zsh or fish, got 'tcsh'\n");
}

TEST(Pages, LieWhereAnInstallationHasThem) {
  const TemporaryFolder folder;
  write_pages(folder.path());
  for (const char* name : {"man/man1/sextant.1", "man/man1/sextant-sample.1", "bash-completion/completions/sextant",
                           "zsh/vendor-completions/_sextant", "fish/vendor_completions.d/sextant.fish"}) {
    EXPECT_GT(read_file(folder / name).size(), 500U) << name;
  }
}

}  // namespace
}  // namespace sextant::cli::testing
