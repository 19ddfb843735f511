// sextant: the command line. Finds the command, catches once, prints one line.

#include <csignal>
#include <iostream>

#include "arguments.h"
#include "command.h"
#include "internal/runtime/cores.h"
#include "reference.h"
#include "sextant/runtime/device.h"
#include "sextant/runtime/error.h"
#include "unforeseen.h"

namespace sextant::cli {
namespace {

std::string overview() {
  std::string text =
      "sextant steers diffusion models with off-the-shelf classifiers.\n\nUsage: sextant COMMAND [--flag VALUE "
      "...]\n\n";
  for (const Command& command : commands()) {
    text += "  " + command.name + std::string(12 - command.name.size(), ' ') + command.summary + "\n";
  }
  return text + "\n'sextant COMMAND --help' lists the settings of a command; --version tells the version.\n";
}

int dispatch(const std::vector<std::string>& words, std::string& who) {
  const std::string first = words.empty() ? "" : words.front();
  if (first == "--help" || first == "-h" || (first == "help" && words.size() == 1)) {
    std::cout << overview();
    return 0;
  }
  if (first == "--version") {
    std::cout << "sextant " << version() << " (libtorch " << libtorch_version() << ")"
              << "\n";
    return 0;
  }
  if (first == "help" && words[1] == "--markdown") {
    std::cout << reference_page();
    return 0;
  }
  if (first.empty()) {
    std::cerr << overview();
    return 2;
  }
  const Command& command = command_named(first == "help" ? words[1] : first);
  if (first == "help") {
    std::cout << help(command);
    return 0;
  }
  who += " " + command.name;
  Invocation invocation = command.open();
  const Arguments arguments = parse(command, invocation, {words.begin() + 1, words.end()});
  if (arguments.help) {
    std::cout << help(command);
    return 0;
  }
  return invocation.run(arguments.argument);
}

}  // namespace
}  // namespace sextant::cli

int main(int argc, char** argv) {
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
    std::cerr << who << ": " << sextant::cli::unforeseen(error) << std::endl;
  } catch (...) {
    std::cerr << who << ": unknown error; please report it with the whole command" << std::endl;
  }
  return 1;
}
