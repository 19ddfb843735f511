// Every command line in the documents and in the recipes' first lines is one that the program takes, and every other
// line of a shell names what there is. (tests/python/test_docs.py runs the tutorial and the programs in Python, the
// test `install` those in C++.)
#include <fstream>
#include <map>
#include <regex>
#include <set>

#include "arguments.h"
#include "command.h"
#include "documents/documents.h"
#include "internal/runtime/files.h"
#include "internal/runtime/text.h"
#include "support/golden.h"

namespace sextant::cli::testing {
namespace {

namespace fs = std::filesystem;
using sextant::testing::source_dir;
using sextant::testing::TemporaryFolder;

TEST(SimpleCommands, AreWhatAShellWouldRun) {
  using Commands = std::vector<std::vector<std::string>>;
  EXPECT_EQ(simple_commands("a --b \"c d\"  # e\nf \\\n  --g && h '$i' ... ; j \"$k/$l\"\n"),
            (Commands{{"a", "--b", "c d"}, {"f", "--g"}, {"h", "$i"}, {"j", "1/1"}}));
  EXPECT_EQ(simple_commands("a --b\nc \\ --d\n"), (Commands{{"a", "--b"}, {"c", " --d"}}));
}

struct Source {
  std::string place;
  std::string code;
};

/// Shell code of the documents: blocks that are no other language's, `sextant ...` in their text, and the lines of the
/// recipes' comments.
std::vector<Source> shell_sources() {
  std::vector<Source> sources;
  const std::regex span("`(sextant [a-z]+ [^`]+)`");
  for (const fs::path& page : documents()) {
    for (const CodeBlock& block : code_of(page)) {
      if (block.language.empty() || block.language == "sh") sources.push_back({page.string(), block.text});
    }
    if (page.filename() == "cli.md") continue;  // generated of the tables that the parser reads
    const std::string text = read_file(page);
    for (std::sregex_iterator at(text.begin(), text.end(), span), end; at != end; ++at) {
      // A flag at its end is named, not given.
      const std::string code = replaced((*at)[1], "\n", " ");
      sources.push_back({page.string(), std::regex_replace(code, std::regex(" --[a-z-]+$"), "") + "\n"});
    }
  }
  for (const auto& entry : fs::recursive_directory_iterator(source_dir() / "recipes")) {
    if (entry.path().extension() != ".toml") continue;
    std::string code;
    for (const std::string& line : lines_of(entry.path())) {
      if (line.starts_with("#   ")) code += trimmed(line.substr(1)) + "\n";
    }
    sources.push_back({entry.path().string(), code});
  }
  return sources;
}

/// Words that stand for whatever a reader has, and something of that kind.
const std::map<std::string, std::string> kPlaceholders = {
    {"RECIPE", "recipes/demo.toml"},
    {"RECIPE.toml", "recipes/adm128-resnet101-js.toml"},
    {"out/js/run.json", "recipes/adm128-resnet101-js.toml"},
    {"out/guided/run.json", "recipes/adm128-resnet101-js.toml"},
};

/// The words behind `sextant` where a command runs it, itself or below a launcher; else none.
std::vector<std::string> words_of_sextant(const std::vector<std::string>& command) {
  const auto program = std::find(command.begin(), command.end(), "sextant");
  if (program == command.end() || program + 1 == command.end()) return {};
  const bool launched = program == command.begin() || command.front() == "torchrun" || command.front() == "mpirun" ||
                        command.front() == "srun";
  if (!launched || (program + 1)->starts_with('-') || *(program + 1) == "COMMAND") return {};
  std::vector<std::string> words(program + 1, command.end());
  for (std::string& word : words) {
    if (const auto known = kPlaceholders.find(word); known != kPlaceholders.end()) word = known->second;
    if (word.starts_with("recipes/")) word = (source_dir() / word).string();
  }
  return words;
}

TEST(DocumentedCommands, AreTakenByTheProgram) {
  int64_t taken = 0;
  for (const Source& source : shell_sources()) {
    for (const std::vector<std::string>& words : simple_commands(source.code)) {
      std::vector<std::string> given = words_of_sextant(words);
      if (given.empty() || given.front() == "help") continue;
      try {
        const Command& command = command_named(given.front());
        Invocation invocation = command.open();
        given.erase(given.begin());
        parse(command, invocation, given);
        ++taken;
      } catch (const std::exception& error) {
        ADD_FAILURE() << source.place << ": sextant " << joined(words_of_sextant(words), " ") << "\n" << error.what();
      }
    }
  }
  EXPECT_GT(taken, 120);
}

TEST(DocumentedCommands, NameTargetsAndScriptsThatThereAre) {
  const std::string makefile = read_file(source_dir() / "Makefile");
  int64_t checked = 0;
  for (const Source& source : shell_sources()) {
    for (std::vector<std::string> words : simple_commands(source.code)) {
      while (!words.empty() && std::regex_match(words.front(), std::regex("[A-Z_]+=.*"))) words.erase(words.begin());
      if (words.empty()) continue;
      const std::string& program = words.front();
      if (program == "make") {
        for (std::size_t i = 1; i < words.size(); ++i) {
          if (words[i].find('=') != std::string::npos) continue;
          EXPECT_NE(makefile.find("\n" + words[i] + ":"), std::string::npos) << source.place << ": make " << words[i];
        }
        ++checked;
      } else if (program.starts_with("scripts/") || program.starts_with(".ci/") || program.ends_with(".py")) {
        EXPECT_TRUE(fs::exists(source_dir() / program)) << source.place << ": " << program;
        ++checked;
      }
    }
  }
  EXPECT_GT(checked, 20);
}

TEST(DocumentedRecipes, AreTakenByTheProgram) {
  int64_t taken = 0;
  for (const fs::path& page : documents()) {
    for (const CodeBlock& block : code_of(page)) {
      if (block.language != "toml") continue;
      const TemporaryFolder folder;
      std::ofstream(folder / "r.toml") << block.text;
      const Command command = command_named(block.text.find("[[rows]]") == std::string::npos ? "sample" : "sweep");
      Invocation invocation = command.open();
      EXPECT_NO_THROW(parse(command, invocation, {"--recipe", (folder / "r.toml").string()})) << page;
      ++taken;
    }
  }
  EXPECT_GE(taken, 2);
}

TEST(DocumentedObjects, AreJson) {
  int64_t read = 0;
  for (const fs::path& page : documents()) {
    for (const CodeBlock& block : code_of(page)) {
      if (block.language != "json" && !block.text.starts_with("{\"")) continue;
      EXPECT_TRUE(nlohmann::json::accept(block.text)) << page << "\n" << block.text;
      ++read;
    }
  }
  EXPECT_GE(read, 3);
}

TEST(DocumentedFlags, AreOfSomeCommand) {
  std::set<std::string> known = {"--help", "--recipe", "--version", "--markdown"};
  for (const Command& command : commands()) {
    for (const std::string& flag : command.open().table.flags()) known.insert(flag);
    for (const ByHandFlag& flag : by_hand_flags(command)) known.insert(flag.flag);
  }
  const std::regex span("`(--[a-z][a-z0-9-]*)[^`]*`");
  for (const fs::path& page : documents()) {
    const std::string text = read_file(page);
    for (std::sregex_iterator at(text.begin(), text.end(), span), end; at != end; ++at) {
      if (page.filename() == "CHANGELOG.md" || page.filename() == "performance.md") continue;  // of before; of others
      EXPECT_TRUE(known.contains((*at)[1])) << page << ": " << (*at)[1];
    }
  }
}

}  // namespace
}  // namespace sextant::cli::testing
