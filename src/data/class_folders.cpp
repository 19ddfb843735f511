#include "class_folders.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <string_view>

#include "files.h"
#include "imagenet_synsets.h"
#include "internal/runtime/text.h"

namespace sextant::data {
namespace {

namespace fs = std::filesystem;

/// Names are one that differ in case and in what stands between their letters: "Fire_Truck", "fire truck".
std::string plain_name(const std::string& name) {
  std::string plain;
  for (const unsigned char c : name) {
    if (std::isalnum(c) || c >= 0x80) plain += static_cast<char>(std::tolower(c));
  }
  return plain;
}

using Labels = std::optional<std::vector<int64_t>>;

/// A network's name may be a list of synonyms: "tench, Tinca tinca". One that two classes share names none.
Labels matched(const std::vector<std::string>& names, const std::vector<std::string>& known) {
  std::map<std::string, int64_t> places;
  for (std::size_t i = 0; i < known.size(); ++i) {
    std::vector<std::string> synonyms = split(known[i], ',');
    synonyms.push_back(known[i]);
    for (const std::string& synonym : synonyms) {
      if (plain_name(synonym).empty()) continue;
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

bool all_digits(std::string_view text, std::size_t most) {
  return !text.empty() && text.size() <= most && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// Names that are numbers: "3".
Labels numbers(const std::vector<std::string>& names) {
  constexpr std::size_t kDigits = 9;
  std::vector<int64_t> labels;
  for (const std::string& name : names) {
    if (!all_digits(name, kDigits)) return std::nullopt;
    labels.push_back(std::stoll(name));
  }
  return labels;
}

/// Names that begin or end with different numbers: "3_cat", or "class_3" where only the number differs. Not "001.cat",
/// as sets are named that count from 1, and no number of more digits than classes have, such as a date.
Labels numbers_within(const std::vector<std::string>& names) {
  constexpr std::size_t kDigits = 4;
  std::vector<int64_t> labels;
  std::set<std::string> before;
  for (const std::string& name : names) {
    const std::size_t first = std::min(name.find_first_not_of("0123456789"), name.size());
    const std::size_t last = name.find_last_not_of("0123456789") + 1;
    const bool begins = all_digits(name.substr(0, first), kDigits) && first + 1 < name.size() &&
                        std::string_view("_- ").find(name[first]) != std::string_view::npos;
    const bool ends = names.size() > 1 && all_digits(name.substr(last), kDigits);
    if (!begins && !ends) return std::nullopt;
    before.insert(begins ? "" : name.substr(0, last));
    labels.push_back(std::stoll(begins ? name.substr(0, first) : name.substr(last)));
  }
  const bool different = std::set<int64_t>(labels.begin(), labels.end()).size() == names.size();
  return different && before.size() == 1 ? Labels(labels) : std::nullopt;
}

/// The names without the numbers that they begin with.
std::vector<std::string> without_numbers(std::vector<std::string> names) {
  for (std::string& name : names) {
    const std::size_t letter = name.find_first_not_of("0123456789_-. ");
    if (letter != std::string::npos) name.erase(0, letter);
  }
  return names;
}

Labels synsets(const std::vector<std::string>& names) {
  const std::vector<std::string>& known = imagenet_synsets();
  std::vector<int64_t> labels;
  for (const std::string& name : names) {
    // "n02085620-Chihuahua" as well.
    constexpr std::size_t kId = 9;
    const bool named = name.size() > kId && std::string_view("-_ .").find(name[kId]) != std::string_view::npos;
    const std::string id = named ? name.substr(0, kId) : name;
    const auto place = std::lower_bound(known.begin(), known.end(), id);
    if (place == known.end() || *place != id) return std::nullopt;
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

/// Places in the sorted order: by the numbers in the names where there are, which letters would sort 1, 10, 2.
template <typename Made>
FolderLabels sorted(const std::vector<std::string>& names, const Labels& numbers, const Made& made) {
  std::vector<std::size_t> order(names.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (numbers)
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return (*numbers)[a] < (*numbers)[b]; });
  std::vector<int64_t> places(names.size());
  std::vector<std::string> class_names;
  for (std::size_t i = 0; i < order.size(); ++i) {
    places[order[i]] = static_cast<int64_t>(i);
    class_names.push_back(names[order[i]]);
  }
  return made(places, Naming::kSorted, std::move(class_names),
              "subfolders in sorted order; no list of the network's classes has them");
}

}  // namespace

FolderLabels labels_of_class_folders(const fs::path& folder, const std::vector<std::string>& names,
                                     const NetworkClasses& network) {
  const auto made = [&](const std::vector<int64_t>& labels, Naming naming, std::vector<std::string> class_names,
                        const std::string& why) {
    check_different(folder, names, labels);
    return FolderLabels{labels, std::move(class_names), naming, why.empty() ? "" : mapping(folder, names, labels, why)};
  };
  for (const std::vector<std::string>& spelt : {names, without_numbers(names)}) {
    if (const Labels labels = matched(spelt, network.names))
      return made(*labels, Naming::kMatched, network.names, "names of the network's classes");
  }
  if (const Labels labels = numbers(names)) return made(*labels, Naming::kNumbers, {}, "");
  const auto challenge = static_cast<int64_t>(imagenet_synsets().size());
  const Labels ids = synsets(names);
  if (ids && (network.count == 0 || network.count >= challenge))
    return made(*ids, Naming::kSynsets, imagenet_synsets(), "WordNet ids, by their places among ImageNet's 1000");
  const Labels within = numbers_within(names);
  if (within && (network.count == 0 || *std::max_element(within->begin(), within->end()) < network.count))
    return made(*within, Naming::kNumbers, {}, "the numbers in the names");
  return sorted(names, within, made);
}

}  // namespace sextant::data
