// What the program does on a terminal, and where standard output takes no more.
#include "terminal.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <map>

#include "cli/program.h"
#include "internal/runtime/files.h"
#include "internal/runtime/text.h"

namespace sextant::cli::testing {
namespace {

namespace fs = std::filesystem;
using Variables = std::map<std::string, std::string>;

/// A terminal that nobody sees.
class Terminal {
 public:
  explicit Terminal(int columns) : ours_(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
    grantpt(ours_);
    unlockpt(ours_);
    theirs_ = open(ptsname(ours_), O_RDWR | O_NOCTTY | O_CLOEXEC);
    winsize size{};
    size.ws_row = 24;
    size.ws_col = static_cast<unsigned short>(columns);
    ioctl(theirs_, TIOCSWINSZ, &size);
  }
  ~Terminal() {
    close(ours_);
    close(theirs_);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  /// Descriptor of the side that a program has.
  int side() const { return theirs_; }

  /// All that the program with these words writes on it.
  std::string shown(const std::vector<std::string>& words, const Variables& variables) {
    std::vector<std::string> all = {SEXTANT_PROGRAM};
    all.insert(all.end(), words.begin(), words.end());
    std::vector<char*> arguments;
    for (std::string& word : all) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const pid_t process = fork();
    if (process == 0) {
      unsetenv("COLUMNS");
      unsetenv("NO_COLOR");
      setenv("TERM", "xterm", 1);
      for (const auto& [name, value] : variables) setenv(name.c_str(), value.c_str(), 1);
      dup2(theirs_, STDOUT_FILENO);
      dup2(theirs_, STDERR_FILENO);
      execv(arguments[0], arguments.data());
      _exit(127);
    }
    close(theirs_);
    theirs_ = -1;
    std::string text;
    char some[4096];
    for (ssize_t count = 0; (count = read(ours_, some, sizeof some)) > 0;)
      text.append(some, static_cast<size_t>(count));
    int status = 0;
    waitpid(process, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << text;
    return replaced(text, "\r\n", "\n");
  }

 private:
  int ours_;
  int theirs_;
};

std::string on_terminal(int columns, const std::vector<std::string>& words, const Variables& variables = {}) {
  return Terminal(columns).shown(words, variables);
}

/// The longest line, where one that is redrawn begins anew.
std::size_t longest(const std::string& text) {
  std::size_t most = 0;
  for (const std::string& line : split(replaced(text, "\r\033[K", "\n"), '\n')) most = std::max(most, line.size());
  return most;
}

/// Sets variables of this process, and back.
class Set {
 public:
  explicit Set(const Variables& variables) {
    for (const auto& [name, value] : variables) {
      const char* const before = getenv(name.c_str());
      if (before != nullptr) former_[name] = before;
      names_.push_back(name);
      setenv(name.c_str(), value.c_str(), 1);
    }
  }
  ~Set() {
    for (const std::string& name : names_) {
      if (former_.contains(name)) {
        setenv(name.c_str(), former_[name].c_str(), 1);
      } else {
        unsetenv(name.c_str());
      }
    }
  }
  Set(const Set&) = delete;
  Set& operator=(const Set&) = delete;

 private:
  Variables former_;
  std::vector<std::string> names_;
};

TEST(Terminal, IsWiderThanTheProgressOnIt) {
  const TemporaryFolder folder;
  const std::string text = on_terminal(44, small_run(folder / "o"));
  const std::string drawn = text.substr(0, text.rfind("6 of 6 images"));
  EXPECT_NE(drawn.find("\r\033[K"), std::string::npos) << text;
  EXPECT_NE(drawn.find("100%  6/6 images"), std::string::npos) << text;
  EXPECT_LT(longest(drawn), 44U) << text;
}

TEST(Terminal, ThatIsDumbGetsPlainLines) {
  const TemporaryFolder folder;
  const std::string text = on_terminal(80, small_run(folder / "o"), {{"TERM", "dumb"}});
  EXPECT_EQ(text.find_first_of("\r\033"), std::string::npos) << text;
  EXPECT_NE(text.find(": 6/6 images"), std::string::npos) << text;
}

TEST(Terminal, ShowsHelpInItsWidth) {
  for (const char* command : {"sample", "inspect", "evaluate"}) {
    const std::string text = on_terminal(80, {command, "--help"});
    EXPECT_LE(longest(text), 80U) << text;
    EXPECT_GT(longest(text), 70U) << text;
    EXPECT_LE(longest(on_terminal(200, {command, "--help"})), 110U);
    EXPECT_GT(longest(on_terminal(200, {command, "--help"})), 100U);
    EXPECT_LE(longest(on_terminal(200, {command, "--help"}, {{"COLUMNS", "72"}})), 72U) << "COLUMNS comes first";
  }
  EXPECT_LE(longest(on_terminal(80, {"--help"})), 80U);
  EXPECT_LE(longest(on_terminal(80, {"help"})), 80U);
}

TEST(Help, IsNotWiderThanAFileNeeds) {
  EXPECT_LE(longest(sextant({"inspect", "--help"}).out), 110U);
  EXPECT_LE(longest(sextant({"--help"}).out), 110U);
}

TEST(Help, OfColumnsConcernsNoPageThatIsKept) {
  for (const std::vector<std::string>& page :
       {std::vector<std::string>{"help", "--markdown"}, {"help", "--man", "sample"}, {"help", "--completion", "zsh"}}) {
    const std::string usual = sextant(page).out;
    const Variables columns = {{"COLUMNS", "50"}};
    const Set narrow(columns);
    EXPECT_EQ(sextant(page).out, usual);
  }
}

TEST(BoldLetters, AreForTerminalsThatObeyAndAreAskedFor) {
  const Terminal terminal(80);
  const int before = dup(STDOUT_FILENO);
  const auto bold = [&](const Variables& variables, bool on_it) {
    const Set these(variables);
    if (on_it) dup2(terminal.side(), STDOUT_FILENO);
    const bool answer = bold_letters();
    dup2(before, STDOUT_FILENO);
    return answer;
  };
  EXPECT_TRUE(bold({{"TERM", "xterm"}, {"NO_COLOR", ""}}, true));
  EXPECT_FALSE(bold({{"TERM", "xterm"}, {"NO_COLOR", "1"}}, true));
  EXPECT_FALSE(bold({{"TERM", "dumb"}, {"NO_COLOR", ""}}, true));
  const int file = open("/dev/null", O_WRONLY | O_CLOEXEC);
  dup2(file, STDOUT_FILENO);
  EXPECT_FALSE(bold_letters());
  dup2(before, STDOUT_FILENO);
  close(file);
  close(before);
}

TEST(StandardOutput, ThatIsFullIsAnError) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full on this machine";
  const TemporaryFolder folder;
  const std::string said = folder / "said";
  for (const std::string words :
       {"--help", "--version", "help --markdown", "help --man sample", "sample --help", "inspect --json MODEL"}) {
    const std::string command = std::string(SEXTANT_PROGRAM) + " " +
                                replaced(words, "MODEL", bundled("mnist-classifier")) + " >/dev/full 2>" + said;
    const int status = std::system(command.c_str());
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 1) << words;
    const std::string line = read_file(said);
    EXPECT_NE(line.find("cannot write all of the text to standard output: No space left on device; free some"),
              std::string::npos)
        << words << ": " << line;
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1) << line;
  }
}

}  // namespace
}  // namespace sextant::cli::testing
