#include "terms.h"

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>

#include "sextant/guidance/guide.h"
#include "sextant/runtime/error.h"

namespace sextant::guidance {
namespace {

const std::map<std::string, std::optional<Term>> kTerms = {
    {"plain", std::nullopt},   {"entropy", Term::kEntropy},  {"rkl", Term::kReverseKl},
    {"fkl", Term::kForwardKl}, {"js", Term::kJensenShannon}, {"hellinger", Term::kHellinger}};

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(' ');
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

std::string advice(const std::string& word) {
  if (word == "none") return " To sample without guidance, use no guide.";
  if (word.starts_with("tilt")) return " The tilt is a setting of its own and goes with every score.";
  return did_you_mean(word, score_names());
}

}  // namespace

const std::vector<std::string>& score_names() {
  static const std::vector<std::string> names = {"plain", "entropy", "rkl", "fkl", "js", "hellinger"};
  return names;
}

std::vector<Term> parse_score(const std::string& name) {
  std::vector<Term> terms;
  std::istringstream words(name + "+");
  for (std::string word; std::getline(words, word, '+');) {
    word = trimmed(word);
    const auto found = kTerms.find(word);
    if (found == kTerms.end()) {
      throw UsageError(
          "score '" + name + "': '" + word +
          "' is not a term; expected plain, entropy, rkl, fkl, js, hellinger or a sum such as js+entropy." +
          advice(word));
    }
    if (!found->second) continue;
    if (std::find(terms.begin(), terms.end(), *found->second) != terms.end()) {
      throw UsageError("score '" + name + "': '" + word + "' appears twice; raise its weight instead.");
    }
    terms.push_back(*found->second);
  }
  return terms;
}

}  // namespace sextant::guidance
