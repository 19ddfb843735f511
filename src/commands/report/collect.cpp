#include "report/collect.h"

#include <algorithm>
#include <map>

#include "internal/runtime/files.h"
#include "internal/runtime/text.h"

namespace sextant::commands {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr int kDeepest = 5;

std::string caption_of(const std::string& stem) {
  static const std::map<std::string, std::string> kCaptions = {
      {"overview", "The first images of each row"},
      {"grid", "The first images"},
      {"differences", "Differences to the baseline with their intervals"},
      {"gradient-norm", "Norm of the guidance gradient along the steps"},
      {"confidence", "Confidence in the target along the steps"},
      {"entropy", "Entropy of the classifier along the steps"},
      {"vanished", "Share of images whose gradient has vanished"},
      {"maps", "x_t, predicted x0 and gradient of chosen images at chosen steps"},
      {"loss", "Training loss"},
      {"learning-rate", "Learning rate"}};
  const auto found = kCaptions.find(stem);
  return found == kCaptions.end() ? replaced(stem, "-", " ") : found->second;
}

/// Drawings rather than their bitmaps, in order of their names; an overview first.
std::vector<Picture> pictures_in(const fs::path& folder) {
  std::map<std::string, fs::path> by_stem;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string extension = entry.path().extension().string();
    if (!entry.is_regular_file() || (extension != ".svg" && extension != ".png")) continue;
    fs::path& chosen = by_stem[entry.path().stem().string()];
    if (chosen.empty() || extension == ".svg") chosen = entry.path();
  }
  std::vector<Picture> pictures;
  for (const auto& [stem, file] : by_stem) pictures.push_back({file, caption_of(stem)});
  std::stable_partition(pictures.begin(), pictures.end(), [](const Picture& picture) {
    return picture.file.stem() == "overview" || picture.file.stem() == "grid";
  });
  return pictures;
}

/// The name of a folder's record, and what it holds; null without one.
std::pair<std::string, json> record_in(const fs::path& folder) {
  for (const std::string name : {"run.json", "trace.json", "theory.json"}) {
    if (!fs::exists(folder / name)) continue;
    const json record = json::parse(read_file(folder / name), nullptr, false);
    if (!record.is_object()) continue;
    if (record.contains("command") && record["command"].is_string()) return {name, record};
    if (name == "trace.json") return {name, {{"command", "trace"}}};
  }
  return {};
}

}  // namespace

std::vector<ShownFolder> collected(const fs::path& folder) {
  std::vector<fs::path> folders = {folder};
  auto walk = fs::recursive_directory_iterator(folder, fs::directory_options::skip_permission_denied);
  for (; walk != fs::recursive_directory_iterator(); ++walk) {
    if (walk.depth() >= kDeepest) walk.disable_recursion_pending();
    if (walk->is_directory()) folders.push_back(walk->path());
  }
  std::vector<ShownFolder> all;
  for (const fs::path& one : folders) {
    const auto [file, record] = record_in(one);
    if (!record.is_object()) continue;
    const std::string name = one == folder ? "" : one.lexically_relative(folder).string();
    all.push_back({one, name, file, record, pictures_in(one)});
  }
  const auto rank = [](const ShownFolder& shown) {
    return shown.command() == "sweep" ? 0 : shown.command() == "trace" ? 1 : 2;
  };
  std::sort(all.begin(), all.end(), [&](const ShownFolder& a, const ShownFolder& b) {
    return std::pair(rank(a), a.name) < std::pair(rank(b), b.name);
  });
  return all;
}

}  // namespace sextant::commands
