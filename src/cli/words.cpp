#include "words.h"

#include "sextant/runtime/error.h"

namespace sextant::cli {
namespace {

/// "--out" of "--out=folder".
std::string name_of(const std::string& word) { return word.substr(0, word.find('=')); }

void check_switch(const std::string& word) {
  const std::string name = name_of(word);
  if (name == word) return;
  const std::string value = word.substr(name.size() + 1);
  if (value != "true" && value != "false") {
    throw UsageError(name + " is a switch: give it alone, or as " + name + "=true or " + name + "=false, got '" + word +
                     "'");
  }
}

}  // namespace

std::vector<std::string> checked_words(const std::vector<std::string>& words,
                                       const std::map<std::string, Takes>& flags) {
  std::vector<std::string> checked;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--") {  // what follows is no flag
      checked.insert(checked.end(), words.begin() + static_cast<std::ptrdiff_t>(i), words.end());
      break;
    }
    if (word.empty()) throw UsageError("unexpected '': an empty text is no flag and names no file");
    const std::string name = name_of(word);
    const auto flag = flags.find(name);
    if (flag == flags.end() || flag->second == Takes::kNothing) {
      if (flag != flags.end()) check_switch(word);
      checked.push_back(word);
      continue;
    }
    if (name == word) {
      if (i + 1 == words.size()) throw UsageError(name + " needs a value");
      if (flags.contains(name_of(words[i + 1]))) {
        throw UsageError(name + " needs a value; '" + words[i + 1] + "' is a flag");
      }
      ++i;
    }
    // "--flag=" leaves the next word alone, which CLI11 would take for the value.
    const std::string value = name == word ? words[i] : word.substr(name.size() + 1);
    if (value.empty() && flag->second == Takes::kText) {
      throw UsageError(name + " is empty; give it a value, or leave the flag out");
    }
    if (name == word || value.empty()) {
      checked.insert(checked.end(), {name, value});
    } else {
      checked.push_back(word);
    }
  }
  return checked;
}

}  // namespace sextant::cli
