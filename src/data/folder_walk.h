// Which files of a folder are images: one rule for every command.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace sextant::data {

/// Whether `name` is nobody's image and nobody's class: begins with a dot (AppleDouble's "._a.png" too), or is
/// what macOS, Windows and network disks leave: "__MACOSX", "Thumbs.db", "desktop.ini", "@eaDir".
bool is_litter(const std::filesystem::path& name);

struct FolderWalk {
  std::vector<std::filesystem::path> images;  ///< relative to the folder, sorted
  std::string left_out;  ///< a line on files that are no images to it by name: how many, which, the first; "" for none
};

/// Every image below `folder`, told by its name's extension in any case: png, jpg, jpeg, bmp, webp; tif and tiff too,
/// so that reading them says what is wrong instead of their being missed. DataError for a folder that cannot be listed
/// or holds no images.
FolderWalk walk_folder(const std::filesystem::path& folder);

/// What the extensions are for a reader of a message.
inline constexpr const char* kImageExtensions = ".png, .jpg, .jpeg, .bmp or .webp";

}  // namespace sextant::data
