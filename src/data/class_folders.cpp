#include "class_folders.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <numeric>
#include <optional>

#include "files.h"
#include "imagenet_synsets.h"
#include "internal/runtime/text.h"

namespace sextant::data {
namespace {

namespace fs = std::filesystem;

/// Names that differ in case, underscores and hyphens alone are one.
std::string plain_name(const std::string& name) {
  std::string plain;
  for (const unsigned char c : name) plain += c == '_' || c == '-' ? ' ' : static_cast<char>(std::tolower(c));
  const std::size_t first = plain.find_first_not_of(' ');
  if (first == std::string::npos) return "";
  return plain.substr(first, plain.find_last_not_of(' ') - first + 1);
}

using Labels = std::optional<std::vector<int64_t>>;

/// A network's name may be a list of synonyms: "tench, Tinca tinca". One that two classes share names none.
Labels matched(const std::vector<std::string>& names, const std::vector<std::string>& known) {
  std::map<std::string, int64_t> places;
  for (std::size_t i = 0; i < known.size(); ++i) {
    std::vector<std::string> synonyms = split(known[i], ',');
    synonyms.push_back(known[i]);
    for (const std::string& synonym : synonyms) {
      const auto [place, is_new] = places.emplace(plain_name(synonym), static_cast<int64_t>(i));
      if (!is_new && place->second != static_cast<int64_t>(i)) place->second = -1;
    }
  }
  std::vector<int64_t> labels;
  for (const std::string& name : names) {
    const auto place = places.find(plain_name(name));
    if (place == places.end() || place->second < 0) return std::nullopt;
    labels.push_back(place->second);
  }
  return labels;
}

Labels numbers(const std::vector<std::string>& names) {
  constexpr std::size_t kDigits = 9;
  std::vector<int64_t> labels;
  for (const std::string& name : names) {
    const bool number = name.size() <= kDigits && name.find_first_not_of("0123456789") == std::string::npos;
    if (!number) return std::nullopt;
    labels.push_back(std::stoll(name));
  }
  return labels;
}

Labels synsets(const std::vector<std::string>& names) {
  const std::vector<std::string>& known = imagenet_synsets();
  std::vector<int64_t> labels;
  for (const std::string& name : names) {
    const auto place = std::lower_bound(known.begin(), known.end(), name);
    if (place == known.end() || *place != name) return std::nullopt;
    labels.push_back(place - known.begin());
  }
  return labels;
}

void check_different(const fs::path& folder, const std::vector<std::string>& names,
                     const std::vector<int64_t>& labels) {
  std::map<int64_t, std::string> seen;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto [first, is_new] = seen.emplace(labels[i], names[i]);
    if (!is_new) throw bad_file(folder / names[i], c10::str("is class ", labels[i], ", which ", first->second, " is"));
  }
}

/// "labels of val: 0 n01440764, 701 n03888257 (WordNet ids)"
std::string mapping(const fs::path& folder, const std::vector<std::string>& names, const std::vector<int64_t>& labels,
                    const std::string& why) {
  constexpr std::size_t kShown = 10;
  std::string list;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const bool hidden = names.size() > kShown && i >= kShown - 1 && i + 1 < names.size();
    if (hidden) continue;
    if (i > kShown - 1) list += ", ...";
    list += c10::str(i > 0 ? ", " : "", labels[i], " ", names[i]);
  }
  return c10::str("labels of ", folder.string(), ": ", list, " (", why, ")");
}

}  // namespace

FolderLabels labels_of_class_folders(const fs::path& folder, const std::vector<std::string>& names,
                                     const NetworkClasses& network) {
  const auto made = [&](const std::vector<int64_t>& labels, Naming naming, std::vector<std::string> class_names,
                        const std::string& why) {
    check_different(folder, names, labels);
    return FolderLabels{labels, std::move(class_names), naming, why.empty() ? "" : mapping(folder, names, labels, why)};
  };
  if (const Labels labels = matched(names, network.names))
    return made(*labels, Naming::kMatched, network.names, "names of the network's classes");
  if (const Labels labels = numbers(names)) return made(*labels, Naming::kNumbers, {}, "");
  const auto challenge = static_cast<int64_t>(imagenet_synsets().size());
  const Labels ids = synsets(names);
  if (ids && (network.count == 0 || network.count >= challenge))
    return made(*ids, Naming::kSynsets, imagenet_synsets(), "WordNet ids, by their places among ImageNet's 1000");
  std::vector<int64_t> places(names.size());
  std::iota(places.begin(), places.end(), 0);
  return made(places, Naming::kSorted, names, "subfolders in sorted order; no list of the network's classes has them");
}

}  // namespace sextant::data
