#include "run/prompts.h"

#include <filesystem>

#include "runtime/files.h"
#include "runtime/words.h"
#include "sextant/error.h"

namespace sextant::run {
namespace {

std::string trimmed(const std::string& text) {
  const char* const blank = " \t\r\n\f\v";
  const std::size_t first = text.find_first_not_of(blank);
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

}  // namespace

std::vector<std::string> read_prompts(const std::string& flag, const std::string& value) {
  std::error_code ignored;
  const bool file = std::filesystem::is_regular_file(value, ignored);
  if (!file && std::filesystem::path(value).extension() == ".txt") {
    throw UsageError(flag + ": there is no file " + value);
  }
  std::vector<std::string> texts;
  for (const std::string& piece : file ? split(read_file(value), '\n') : split(value, ';')) {
    if (const std::string text = trimmed(piece); !text.empty()) texts.push_back(text);
  }
  if (file && texts.empty()) throw UsageError(flag + ": the file " + value + " holds no text");
  return texts;
}

}  // namespace sextant::run
