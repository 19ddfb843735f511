// The classes of a classifier as its config.json tells them.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace sextant::models {

/// "classes" where it is a list of names, or Hugging Face's "id2label"; empty where there is neither.
std::vector<std::string> class_names_of(const nlohmann::json& config);

/// Whether a classifier's heads answer yes or no to an attribute each, called as "classes" says: "predicts":
/// "attributes". The heads of others are the classes of one question.
bool predicts_attributes(const nlohmann::json& config);

/// How many: of the names, or "classes" as a number, or "num_classes" or "classes" of "model"; 0 where nothing says so.
int64_t class_count_of(const nlohmann::json& config);

}  // namespace sextant::models
