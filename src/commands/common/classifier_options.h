// A classifier and what it sees, as settings of whatever command takes one.
#pragma once

#include <string>
#include <vector>

#include "internal/runtime/options.h"
#include "sextant/models/classifier.h"

namespace sextant::commands {

/// What a classifier sees: --classifier-input and --classifier-size; `remark` ends what --help says of both.
std::vector<Option> classifier_view_rows(models::ClassifierInput* input, int64_t* size, const std::string& remark = "");

/// The rows, which point into `config`; `role` says in --help what the command wants the classifier for.
std::vector<Option> classifier_rows(models::ClassifierConfig& config, const std::string& role);

/// The table [classifier] of these rows.
OptionGroup classifier_options(models::ClassifierConfig& config, const std::string& role);

}  // namespace sextant::commands
