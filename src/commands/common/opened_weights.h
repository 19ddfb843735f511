// Which weights the networks of a run are: for the reader, and for the run's record.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "internal/runtime/options.h"
#include "sextant/models/models.h"

namespace sextant::commands {

class OpenedWeights {
 public:
  /// `placement`, for networks that are to be recorded as `role`.
  models::Placement as(const std::string& role, models::Placement placement) const;

  /// [{"role", "file", "group", "average", "hash"}], each once.
  nlohmann::json record() const { return *records_; }
  /// "note: ..." of what was chosen and left out, each once.
  const std::vector<std::string>& notes() const { return *notes_; }

  /// What as() does with a file.
  void add(const std::string& role, const models::WeightsRecord& opened) const;

 private:
  std::shared_ptr<nlohmann::json> records_ = std::make_shared<nlohmann::json>(nlohmann::json::array());
  std::shared_ptr<std::vector<std::string>> notes_ = std::make_shared<std::vector<std::string>>();
};

/// The rows --STARTweights and --STARTprefix; `whose` names the file that they are about: "--model's".
std::vector<Option> weights_rows(const std::string& start, std::string* group, std::string* prefix,
                                 const std::string& whose, bool several = false);

}  // namespace sextant::commands
