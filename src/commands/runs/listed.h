// Runs of a ledger with everything that is known of them.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "internal/ledger/ledger.h"
#include "internal/report/table.h"

namespace sextant::commands {

/// {"id", "row", "column", "seed", "state", "images", "seconds_per_image", "changed", "folder", "log", "sweep",
/// "settings", "weights", "versions", "scores": {"metric": value}, "cells": [{"row", "column", "sweep"}]} of every run.
/// Row, column and sweep are those of the first cell that stands on it.
std::vector<nlohmann::json> described(const ledger::Ledger& ledger);

/// The same as one name for each number: {"row": ..., "guidance.alpha": ..., "fid": ...}.
nlohmann::json flattened(const nlohmann::json& run);

/// Those for which all of "key=value,key=value" hold, with the row, column and sweep of the first cell for which they
/// do. A key is one of flattened(), its table may be left out.
std::vector<nlohmann::json> matching(const std::vector<nlohmann::json>& runs, const std::string& where);

/// A row for each run.
report::Table listing(const std::vector<nlohmann::json>& runs);

/// A row for each run with all of flattened() but hashes and versions, numbers whole: for programs.
report::Table whole_listing(const std::vector<nlohmann::json>& runs);

/// What differs between two runs, a row for each setting or number.
report::Table comparison(const nlohmann::json& a, const nlohmann::json& b);

}  // namespace sextant::commands
