// sextant: the command line. Finds the command, catches once, prints one line.

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <iostream>

#include "arguments.h"
#include "command.h"
#include "help.h"
#include "internal/runtime/cores.h"
#include "internal/runtime/utf8.h"
#include "sextant/runtime/device.h"
#include "sextant/runtime/error.h"
#include "terminal.h"
#include "unforeseen.h"

namespace sextant::cli {
namespace {

/// A closed stdin, stdout or stderr would be the next file that is opened, and messages would be written into it.
void open_standard_files() {
  int file = 0;
  do {
    file = open("/dev/null", O_RDWR);
  } while (file >= 0 && file <= STDERR_FILENO);
  if (file > STDERR_FILENO) close(file);
}

/// A mapped file lost its end, or its disk: what is finished is on disk.
void on_lost_page(int) {
  constexpr char kLine[] =
      "\nsextant: a file was cut short while it was read, or its disk failed; what is finished is kept: mend the file, "
      "and the same command continues\n";
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, kLine, sizeof kLine - 1);
  _exit(1);
}

int dispatch(const std::vector<std::string>& words, std::string& who) {
  const std::string first = words.empty() ? "" : words.front();
  const auto asks = [](const std::string& word) { return word == "--help" || word == "-h"; };
  if (asks(first) || (first == "help" && words.size() == 2 && asks(words[1]))) {
    print(overview(page_columns()));
    return 0;
  }
  if (first == "--version") {
    print(std::string("sextant ") + version() + " (libtorch " + libtorch_version() + ")\n");
    return 0;
  }
  if (words.size() == 3 && first == "help" && words[1] == "--pages") {  // for the build, which installs them
    write_pages(words[2]);
    return 0;
  }
  if (first == "help") {
    print(help_page({words.begin() + 1, words.end()}, page_columns()));
    return 0;
  }
  if (first.empty()) {
    std::cerr << overview(page_columns());
    return 2;
  }
  const Command& command = command_named(first);
  who += " " + command.name;
  Invocation invocation = command.open();
  const Arguments arguments = parse(command, invocation, {words.begin() + 1, words.end()});
  if (arguments.help) {
    print(help(command, page_columns()));
    return 0;
  }
  enter_world(arguments.by_hand);
  return invocation.run(arguments.argument);
}

}  // namespace
}  // namespace sextant::cli

int main(int argc, char** argv) {
  sextant::cli::open_standard_files();
  std::signal(SIGBUS, sextant::cli::on_lost_page);
  // A file that may not grow further is an error of write(), not the end of the process.
  std::signal(SIGXFSZ, SIG_IGN);
  sextant::keep_freed_memory();
  sextant::share_busy_cores();
  std::string who = "sextant";
  try {
    return sextant::cli::dispatch({argv + 1, argv + argc}, who);
  } catch (const sextant::Error& error) {
    std::cerr << who << ": " << error.what() << std::endl;
    return error.exit_code();
  } catch (const std::exception& error) {
    std::cerr << who << ": " << sextant::one_line(sextant::cli::unforeseen(error)) << std::endl;
  } catch (...) {
    std::cerr << who << ": unknown error; please report it with the whole command" << std::endl;
  }
  return 1;
}
