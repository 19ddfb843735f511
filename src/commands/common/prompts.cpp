#include "common/prompts.h"

#include <algorithm>
#include <filesystem>

#include "internal/runtime/files.h"
#include "internal/runtime/text.h"
#include "sextant/runtime/error.h"

namespace sextant::commands {
namespace {

/// The texts of the file that a single text names; other texts as they are.
std::vector<std::string> resolved(const std::string& flag, const std::vector<std::string>& texts) {
  if (texts.size() != 1) return texts;
  const std::string& name = texts.front();
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(name, ignored)) {
    if (std::filesystem::path(name).extension() == ".txt") throw UsageError(flag + ": there is no file " + name);
    return texts;
  }
  std::vector<std::string> lines = split_prompts(read_file(name) + "\n");
  if (lines.empty()) throw UsageError(flag + ": the file " + name + " holds no text");
  return lines;
}

}  // namespace

models::Prompts resolved_prompts(models::Prompts prompts) {
  prompts.targets = resolved("--prompts", prompts.targets);
  prompts.contrast = resolved("--contrast", prompts.contrast);
  return prompts;
}

std::vector<std::string> split_prompts(const std::string& value) {
  std::vector<std::string> texts;
  for (const std::string& piece : split(value, value.find('\n') == std::string::npos ? ';' : '\n')) {
    if (const std::string text = trimmed(piece); !text.empty()) texts.push_back(text);
  }
  return texts;
}

std::string joined_prompts(const std::vector<std::string>& texts) {
  const auto holds_semicolon = [](const std::string& text) { return text.find(';') != std::string::npos; };
  if (std::none_of(texts.begin(), texts.end(), holds_semicolon)) return joined(texts, ";");
  std::string lines;
  for (const std::string& text : texts) lines += text + "\n";
  return lines;
}

}  // namespace sextant::commands
