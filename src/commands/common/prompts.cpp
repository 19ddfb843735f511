#include "common/prompts.h"

#include <filesystem>

#include "internal/runtime/files.h"
#include "internal/runtime/text.h"
#include "sextant/runtime/error.h"

namespace sextant::commands {

std::string resolved_prompts(const std::string& flag, const std::string& value) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(value, ignored)) {
    if (value.find('\n') == std::string::npos && std::filesystem::path(value).extension() == ".txt") {
      throw UsageError(flag + ": there is no file " + value);
    }
    return value;
  }
  std::string lines;
  for (const std::string& text : split_prompts(read_file(value) + "\n")) lines += text + "\n";
  if (lines.empty()) throw UsageError(flag + ": the file " + value + " holds no text");
  return lines;
}

std::vector<std::string> split_prompts(const std::string& value) {
  std::vector<std::string> texts;
  for (const std::string& piece : split(value, value.find('\n') == std::string::npos ? ';' : '\n')) {
    if (const std::string text = trimmed(piece); !text.empty()) texts.push_back(text);
  }
  return texts;
}

}  // namespace sextant::commands
