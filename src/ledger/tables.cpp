#include "tables.h"

#include "sextant/runtime/error.h"

namespace sextant::ledger {
namespace {

constexpr int64_t kVersion = 1;
constexpr int64_t kApplication = 0x53585431;  // "SXT1": what `file` and SQLite know the file by

constexpr const char* kSchema = R"(
CREATE TABLE files(path TEXT PRIMARY KEY, stamp TEXT NOT NULL, hash TEXT NOT NULL);
CREATE TABLE runs(id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, folder TEXT NOT NULL, images INTEGER NOT NULL,
  state INTEGER NOT NULL, log TEXT NOT NULL, settings TEXT NOT NULL, weights TEXT NOT NULL, versions TEXT NOT NULL,
  seconds_per_image REAL NOT NULL, gradient_norm REAL NOT NULL, changed TEXT NOT NULL);
CREATE TABLE scores(run INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE, judge TEXT NOT NULL,
  images INTEGER NOT NULL, position INTEGER NOT NULL, metric TEXT NOT NULL, value REAL, deviation REAL, low REAL,
  high REAL, PRIMARY KEY(run, judge, images, metric));
CREATE TABLE differences(pair TEXT NOT NULL, position INTEGER NOT NULL, metric TEXT NOT NULL, value REAL,
  deviation REAL, low REAL, high REAL, PRIMARY KEY(pair, metric));
CREATE TABLE sweeps(id INTEGER PRIMARY KEY, title TEXT NOT NULL, out TEXT NOT NULL UNIQUE, recipe TEXT NOT NULL,
  began TEXT NOT NULL);
CREATE TABLE cells(sweep INTEGER NOT NULL REFERENCES sweeps(id) ON DELETE CASCADE, position INTEGER NOT NULL,
  "row" TEXT NOT NULL, "column" TEXT NOT NULL, seed TEXT NOT NULL,
  run INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE, images INTEGER NOT NULL, judge TEXT NOT NULL,
  paper TEXT NOT NULL, PRIMARY KEY(sweep, position));
)";

}  // namespace

Ledger::Tables::Tables(const std::filesystem::path& path) : database(path) {
  const auto pragma = [&](const std::string& name) {
    Statement statement(database, "PRAGMA " + name);
    return statement.step() ? statement.integer(0) : 0;
  };
  const auto is_empty = [&] {
    Statement any(database, "SELECT count(*) FROM sqlite_master");
    any.step();
    return any.integer(0) == 0;
  };
  // Before anything is changed, the kind of journal too, which stands in the file.
  if (!is_empty() && pragma("application_id") != kApplication) {
    throw Error(path.string() + " is no ledger: it is an SQLite file of another program");
  }
  database.run("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON");
  Transaction whole(database);
  const int64_t version = pragma("user_version");
  const bool empty = is_empty();
  if (version > kVersion) {
    throw Error(c10::str("ledger ", path.string(), " is of version ", version, ", made by a newer sextant; this one ",
                         "reads version ", kVersion, ": use the newer one or another file"));
  }
  if (!empty) return;
  database.run(kSchema);
  database.run(c10::str("PRAGMA user_version = ", kVersion, "; PRAGMA application_id = ", kApplication));
  whole.commit();
}

}  // namespace sextant::ledger
