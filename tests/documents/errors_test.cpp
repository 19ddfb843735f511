// docs/errors.md: each message that it shows is what the command above it says.
#include <sys/wait.h>

#include <cstdlib>
#include <fstream>
#include <regex>

#include "cli/program.h"
#include "documents/documents.h"
#include "internal/runtime/files.h"
#include "internal/runtime/text.h"

namespace sextant::cli::testing {
namespace {

namespace fs = std::filesystem;
using sextant::testing::source_dir;

/// Whether `text` is `pattern`, in which "..." is anything, nothing too.
bool matches(const std::string& text, const std::string& pattern) {
  const std::size_t dots = pattern.find("...");
  if (dots == std::string::npos) return text == pattern;
  if (!text.starts_with(pattern.substr(0, dots))) return false;
  const std::string rest = pattern.substr(dots + 3);
  for (std::size_t at = dots; at <= text.size(); ++at) {
    if (matches(text.substr(at), rest)) return true;
  }
  return false;
}

TEST(Dots, AreAnything) {
  EXPECT_TRUE(matches("a b c d", "a ...c d"));
  EXPECT_TRUE(matches("a b", "a b..."));
  EXPECT_FALSE(matches("a b", "a c..."));
  EXPECT_FALSE(matches("a b c", "a ... d"));
}

/// A session of the page: what is typed behind "$ ", and the message that it ends in. Both may go on in lines that are
/// indented, what is typed behind a backslash.
struct Session {
  std::string typed;
  std::string message;
};

std::vector<Session> sessions() {
  std::vector<Session> all;
  for (const CodeBlock& block : code_of(source_dir() / "docs/errors.md")) {
    if (block.language != "console") continue;
    Session session;
    for (const std::string& line : split(trimmed(block.text), '\n')) {
      if (line.starts_with("$ ")) {
        session.typed += line.substr(2) + "\n";
      } else if (session.typed.ends_with("\\\n")) {
        session.typed += line + "\n";
      } else {
        session.message += (session.message.empty() ? "" : " ") + trimmed(line);
      }
    }
    all.push_back(session);
  }
  return all;
}

class Cookbook : public ::testing::TestWithParam<Session> {};
INSTANTIATE_TEST_SUITE_P(Every, Cookbook, ::testing::ValuesIn(sessions()),
                         [](const auto& info) { return std::to_string(info.index); });

/// Programs start in `folder` while it lives.
class Inside {
 public:
  explicit Inside(const fs::path& folder) : before_(fs::current_path()) { fs::current_path(folder); }
  ~Inside() { fs::current_path(before_); }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

 private:
  fs::path before_;
};

/// Whether it is nothing but commands of sextant, for which no shell need start.
bool needs_no_shell(const std::string& typed) {
  if (typed.find_first_of("$&|<>;()*~") != std::string::npos) return false;
  const auto commands = simple_commands(typed);
  return std::all_of(commands.begin(), commands.end(), [](const auto& words) { return words.front() == "sextant"; });
}

Outcome last_of(const std::string& typed) {
  Outcome outcome;
  for (std::vector<std::string> words : simple_commands(typed)) {
    words.erase(words.begin());
    outcome = sextant(words);
  }
  return outcome;
}

Outcome by_a_shell(const std::string& typed) {
  const TemporaryFolder folder;
  std::ofstream(folder / "typed.sh") << "export PATH='" << fs::path(SEXTANT_PROGRAM).parent_path().string()
                                     << "':$PATH\n"
                                     << typed;
  const std::string errors = (folder / "errors.txt").string();
  const std::string script = (folder / "typed.sh").string();
  const int status = std::system(("bash '" + script + "' >/dev/null 2>'" + errors + "'").c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, "", read_file(errors)};
}

TEST_P(Cookbook, ShowsWhatTheProgramSays) {
  const Session& session = GetParam();
#if defined(__SANITIZE_ADDRESS__)
  if (session.typed.find("ulimit -v") != std::string::npos)
    GTEST_SKIP() << "the sanitizer takes terabytes of addresses";
#endif
  const TemporaryFolder folder;
  for (const char* name : {"models", "recipes"}) fs::create_symlink(source_dir() / name, folder / name);
  const Inside inside(folder.path());
  const Outcome outcome = needs_no_shell(session.typed) ? last_of(session.typed) : by_a_shell(session.typed);
  EXPECT_TRUE(outcome.exit_code == 1 || outcome.exit_code == 2) << outcome.exit_code << "\n"
                                                                << session.typed << outcome.err;
  const std::string last = split(trimmed(outcome.err), '\n').back();
  EXPECT_TRUE(matches(last, session.message)) << session.typed << last;
}

/// The text in the literals of a source file, those that follow each other as the one that they are.
std::string literals_of(const fs::path& file) {
  static const std::regex between("\"\\s*\"");
  return std::regex_replace(read_file(file), between, "");
}

/// The messages of the table at the end, whose commands nobody could type.
std::vector<std::string> untyped_messages() {
  std::vector<std::string> all;
  bool there = false;
  for (const std::string& line : lines_of(source_dir() / "docs/errors.md")) {
    if (line.starts_with("## ")) there = line == "## On other days";
    if (there && line.starts_with("| `")) all.push_back(line.substr(3, line.find("` | ") - 3));
  }
  return all;
}

TEST(CookbookTable, HoldsMessagesOfTheSources) {
  std::string sources;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(source_dir() / "src")) {
    if (entry.is_regular_file()) sources += literals_of(entry.path());
  }
  const std::vector<std::string> messages = untyped_messages();
  EXPECT_GE(messages.size(), 20u);
  for (const std::string& message : messages) {
    // What stands between two dots is of one literal.
    std::string rest = message;
    for (std::size_t dots = 0; dots != std::string::npos;) {
      dots = rest.find("...");
      const std::string part = rest.substr(0, dots);
      EXPECT_NE(sources.find(part), std::string::npos) << "'" << part << "' of: " << message;
      if (dots != std::string::npos) rest = rest.substr(dots + 3);
    }
  }
}

}  // namespace
}  // namespace sextant::cli::testing
