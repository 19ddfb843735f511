#include "internal/runtime/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <string_view>

namespace sextant {

int columns_of_environment() {
  const char* const text = std::getenv("COLUMNS");
  if (text == nullptr) return 0;
  const std::string_view digits = text;
  int columns = 0;
  const auto [end, error] = std::from_chars(digits.begin(), digits.end(), columns);
  return error == std::errc() && end == digits.end() && columns > 0 ? columns : 0;
}

int terminal_columns(int descriptor) {
  if (isatty(descriptor) == 0) return 0;
  winsize size{};
  if (ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  constexpr int kUsual = 80;
  const int told = columns_of_environment();
  return told > 0 ? told : kUsual;
}

}  // namespace sextant
