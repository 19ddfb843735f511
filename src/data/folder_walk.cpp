#include "folder_walk.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

#include "class_folders.h"
#include "files.h"

namespace sextant::data {
namespace {

namespace fs = std::filesystem;

std::string lower_extension(const fs::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return extension;
}

bool is_image_name(const fs::path& path) {
  static const std::set<std::string> kExtensions = {".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff"};
  return kExtensions.count(lower_extension(path)) > 0;
}

/// "faces: 3 files that are no images are left out: 2 .txt, 1 .json (the first: faces/a.txt)"
std::string line_on(const fs::path& folder, std::vector<fs::path> others) {
  if (others.empty()) return "";
  std::map<std::string, int64_t> counts;
  for (const fs::path& other : others) ++counts[lower_extension(other)];
  std::vector<std::pair<int64_t, std::string>> kinds;
  kinds.reserve(counts.size());
  for (const auto& [extension, count] : counts) kinds.emplace_back(-count, extension);
  std::sort(kinds.begin(), kinds.end());
  constexpr std::size_t kShown = 5;
  std::string list;
  for (std::size_t i = 0; i < std::min(kinds.size(), kShown); ++i) {
    const std::string& name = kinds[i].second;
    list += c10::str(i > 0 ? ", " : "", -kinds[i].first, " ", name.empty() ? "without extension" : name);
  }
  if (kinds.size() > kShown) list += ", ...";
  const fs::path first = folder / *std::min_element(others.begin(), others.end());
  return c10::str(folder.string(), ": ", others.size(),
                  others.size() == 1 ? " file of another kind is" : " files of other kinds are", " left out: ", list,
                  " (the first: ", first.string(), ")");
}

}  // namespace

bool is_litter(const fs::path& name) {
  std::string text = name.filename().string();
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text.starts_with('.') || text == "__macosx" || text == "thumbs.db" || text == "desktop.ini" ||
         text == "@eadir";
}

FolderWalk walk_folder(const fs::path& folder) {
  constexpr int kDeepest = 32;
  FolderWalk walk;
  std::vector<fs::path> others;
  std::error_code problem;
  fs::recursive_directory_iterator entries(folder, fs::directory_options::follow_directory_symlink, problem);
  for (; !problem && entries != fs::recursive_directory_iterator(); entries.increment(problem)) {
    if (entries.depth() > kDeepest)
      throw bad_file(entries->path(), "is nested too deep; is it a link to a folder around it?");
    std::error_code ignored;
    const bool is_folder = entries->is_directory(ignored);
    if (is_litter(entries->path())) {
      if (is_folder) entries.disable_recursion_pending();
      continue;
    }
    if (is_folder || entries->path().filename() == kAnnotations) continue;
    (is_image_name(entries->path()) ? walk.images : others).push_back(entries->path().lexically_relative(folder));
  }
  if (problem) throw bad_file(folder, "cannot be listed: " + problem.message());
  walk.left_out = line_on(folder, others);
  if (walk.images.empty()) {
    throw bad_file(folder, std::string("holds no ") + kImageExtensions + " images" +
                               (others.empty() ? ""
                                               : c10::str(", but ", others.size(), " other files, the first ",
                                                          std::min_element(others.begin(), others.end())->string())));
  }
  std::sort(walk.images.begin(), walk.images.end());
  return walk;
}

}  // namespace sextant::data
