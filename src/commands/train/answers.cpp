#include "train/answers.h"

#include <algorithm>
#include <map>
#include <set>

#include "common/attributes.h"
#include "internal/models/class_names.h"
#include "internal/runtime/text.h"
#include "sextant/runtime/error.h"

namespace sextant::commands {
namespace {

namespace fs = std::filesystem;

/// How many of the last parts of two paths are the same: 2 of "train/0/a.png" and "x/0/a.png".
std::ptrdiff_t same_end(const fs::path& one, const fs::path& other) {
  const std::vector<fs::path> a(one.begin(), one.end()), b(other.begin(), other.end());
  return std::mismatch(a.rbegin(), a.rend(), b.rbegin(), b.rend()).first - a.rbegin();
}

/// The lines of the table that belong to the images of `set`, by file name, and by folders where names repeat.
Tensor lines_by_name(const std::string& file, const AttributeTable& table, const data::ImageSet& set) {
  std::map<std::string, std::vector<int64_t>> lines_of;
  for (std::size_t line = 0; line < table.images.size(); ++line) {
    lines_of[fs::path(table.images[line]).filename().string()].push_back(static_cast<int64_t>(line));
  }
  std::vector<int64_t> lines;
  std::set<int64_t> taken;
  for (int64_t i = 0; i < set.size(); ++i) {
    const fs::path name = set.name(i);
    std::ptrdiff_t most = 0;
    std::vector<int64_t> fitting;
    for (const int64_t line : lines_of[name.filename().string()]) {
      const std::ptrdiff_t same = same_end(name, table.images[static_cast<std::size_t>(line)]);
      if (same > most) fitting.clear();
      if (same >= most) fitting.push_back(line);
      most = std::max(most, same);
    }
    if (fitting.empty()) throw DataError(file + ": has no line for " + set.name(i));
    if (fitting.size() > 1 || !taken.insert(fitting[0]).second) {
      throw DataError(file + ": which line is that of " + set.name(i) + " is not clear; put folders before the names");
    }
    lines.push_back(fitting[0]);
  }
  return table.answers.index_select(0, at::tensor(lines, at::kLong));
}

void give_answers(const std::string& file, const AttributeTable& table, training::TrainingImages& images) {
  const data::ImageSet& set = images.source();
  if (!table.images.empty()) {
    images.set_answers(lines_by_name(file, table, set));
  } else if (table.answers.size(0) == set.size()) {
    images.set_answers(table.answers);
  } else {
    throw DataError(c10::str(file, ": has answers of ", table.answers.size(0), " images, there are ", set.size()));
  }
}

}  // namespace

void open_answers(const TrainConfig& config, TrainSetup& setup, int64_t heads) {
  const AttributeTable table = read_attribute_table(config.attributes);
  const std::vector<std::string> named =
      models::predicts_attributes(setup.model) ? models::class_names_of(setup.model) : std::vector<std::string>{};
  if (!named.empty() && named != table.names) {
    throw UsageError("--attributes " + config.attributes + ": answers " + joined(table.names, ", ") +
                     "; the attributes of the model's config.json are " + joined(named, ", "));
  }
  if (heads != static_cast<int64_t>(table.names.size())) {
    throw UsageError(c10::str("--attributes ", config.attributes, ": names ", table.names.size(),
                              " attributes, the network has ", heads, " outputs; set its num_classes"));
  }
  setup.model["predicts"] = "attributes";
  setup.model["classes"] = table.names;
  give_answers(config.attributes, table, *setup.images);
}

void open_validation_answers(const TrainConfig& config, TrainSetup& setup) {
  const std::string& file = config.validation_attributes.empty() ? config.attributes : config.validation_attributes;
  const AttributeTable table = read_attribute_table(file);
  if (config.validation_attributes.empty() && table.images.empty()) {
    throw UsageError("--validation-attributes is needed: the lines of --attributes " + config.attributes +
                     " go by the order of the training images");
  }
  if (const auto names = models::class_names_of(setup.model); names != table.names) {
    throw UsageError("--validation-attributes " + file + ": answers " + joined(table.names, ", ") + ", not " +
                     joined(names, ", "));
  }
  give_answers(file, table, *setup.validation);
}

}  // namespace sextant::commands
