#include "common/opened_weights.h"

#include <algorithm>

#include "internal/runtime/content_hash.h"

namespace sextant::commands {

using nlohmann::json;

models::Placement OpenedWeights::as(const std::string& role, models::Placement placement) const {
  placement.opened = [log = *this, role](const models::WeightsRecord& opened) { log.add(role, opened); };
  return placement;
}

void OpenedWeights::add(const std::string& role, const models::WeightsRecord& opened) const {
  const json record = {{"role", role},
                       {"file", opened.file.string()},
                       {"group", opened.group},
                       {"average", opened.average},
                       {"hash", named_hash(opened.hash)}};
  if (std::find(records_->begin(), records_->end(), record) == records_->end()) records_->push_back(record);
  for (const std::string& line : opened.notes) {
    const std::string note = "note: " + line;
    if (std::find(notes_->begin(), notes_->end(), note) == notes_->end()) notes_->push_back(note);
  }
}

std::vector<Option> weights_rows(const std::string& start, std::string* group, std::string* prefix,
                                 const std::string& whose, bool several) {
  const auto row = [&](const std::string& name, std::string* target, const std::string& help,
                       const std::string& value) {
    Option option{"--" + start + name, target, Anything{}, help, value};
    if (several) option.accepts = Several{};
    return option;
  };
  return {
      row("weights", group,
          "Group of " + whose +
              " file that is taken, such as model or state_dict_ema; left out it is the one that "
              "fits, a moving average before others",
          "NAME"),
      row("prefix", prefix, "Take the tensors of " + whose + " file whose names begin so, without a search", "TEXT")};
}

}  // namespace sextant::commands
