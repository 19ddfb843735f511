// Attributes as settings.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sextant/runtime/tensor.h"

namespace sextant::commands {

/// A CSV file of answers: a line of names, then a line for each image. Cells may stand in quotes.
struct AttributeTable {
  std::vector<std::string> names;   ///< of K attributes
  std::string column_of_images;     ///< heading of a first column of images' names; "" where there is none
  std::vector<std::string> images;  ///< those names; empty where lines go by the order of images
  Tensor answers;  ///< [lines, K] float32: 1 for "1" and "true", -1 for "0", "-1" and "false", 0 for an empty cell
};

/// UsageError that names the line for a file of another form.
AttributeTable read_attribute_table(const std::string& path);

/// Answers [R, K] of 1 (yes), -1 (no) and 0 (not asked) to the attributes called `names`. `text` is "smiling=1,male=0",
/// for all images, or a CSV file whose first line names attributes and whose others hold 1, 0 or nothing, a line an
/// image; a first column of images' names is left out, which `warn` hears in a line. UsageError that names the
/// attribute, the nearest name, and the line.
Tensor parse_attributes(const std::string& text, const std::vector<std::string>& names,
                        const std::function<void(const std::string&)>& warn = {});

/// "1,0.5" for the attributes in `names`' order, or "male=2" for some, the others 1. "" is none. UsageError likewise.
std::vector<double> parse_attribute_weights(const std::string& text, const std::vector<std::string>& names);

}  // namespace sextant::commands
