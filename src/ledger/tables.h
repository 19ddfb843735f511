// The SQLite file behind a ledger.
#pragma once

#include "database.h"
#include "internal/ledger/ledger.h"

namespace sextant::ledger {

struct Ledger::Tables {
  /// Opens the file and makes the tables in a new one. Error where it is another program's or a newer sextant's.
  explicit Tables(const std::filesystem::path& path);

  mutable Database database;
};

}  // namespace sextant::ledger
