#include "internal/ledger/ledger.h"

#include <sys/stat.h>

#include "database.h"
#include "sextant/runtime/error.h"

namespace sextant::ledger {

using nlohmann::json;

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

constexpr const char* kRunColumns =
    "id, key, folder, images, state, log, settings, weights, versions, seconds_per_image, gradient_norm, changed";

Run run_of(const Statement& row) {
  Run run;
  run.id = row.integer(0);
  run.key = row.text(1);
  run.folder = row.text(2);
  run.images = row.integer(3);
  run.state = static_cast<State>(row.integer(4));
  run.log = row.text(5);
  run.settings = json::parse(row.text(6));
  run.weights = json::parse(row.text(7));
  run.versions = json::parse(row.text(8));
  run.seconds_per_image = row.number(9);
  run.gradient_norm = row.number(10);
  run.changed = row.text(11);
  return run;
}

/// Binds everything of a run but id, key and the time.
Statement& bind(Statement& statement, const Run& run) {
  return statement.bind(run.folder)
      .bind(run.images)
      .bind(static_cast<int64_t>(run.state))
      .bind(run.log)
      .bind(run.settings.dump())
      .bind(run.weights.dump())
      .bind(run.versions.dump())
      .bind(run.seconds_per_image)
      .bind(run.gradient_norm);
}

std::vector<Score> scores_of(Statement& rows) {
  std::vector<Score> scores;
  while (rows.step()) {
    scores.push_back({rows.text(0), rows.number(1), rows.maybe(2), rows.maybe(3), rows.maybe(4)});
  }
  return scores;
}

/// Size and time of the last change, of every file below a folder.
std::string stamp_of(const std::filesystem::path& path) {
  std::string stamp;
  const auto add = [&](const std::filesystem::path& file) {
    struct stat about {};
    if (stat(file.c_str(), &about) != 0) throw Error("there is no " + file.string());
    stamp += c10::str(about.st_size, " ", about.st_mtim.tv_sec, " ", about.st_mtim.tv_nsec, ";");
  };
  if (!std::filesystem::is_directory(path)) {
    add(path);
    return stamp;
  }
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  for (const auto& file : files) add(file);
  return stamp;
}

}  // namespace

std::string name_of(State state) {
  switch (state) {
    case State::kNew:
      return "new";
    case State::kDrawing:
      return "drawing";
    case State::kDone:
      return "done";
    case State::kFailed:
      return "failed";
  }
  return "";
}

struct Ledger::Tables {
  explicit Tables(const std::filesystem::path& path) : database(path) {
    database.run("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON");
    Transaction whole(database);
    const auto pragma = [&](const std::string& name) {
      Statement statement(database, "PRAGMA " + name);
      return statement.step() ? statement.integer(0) : 0;
    };
    const int64_t version = pragma("user_version");
    Statement any(database, "SELECT count(*) FROM sqlite_master");
    any.step();
    const bool empty = any.integer(0) == 0;
    if (!empty && pragma("application_id") != kApplication) {
      throw Error(path.string() + " is no ledger: it is an SQLite file of another program");
    }
    if (version > kVersion) {
      throw Error(c10::str("ledger ", path.string(), " is of version ", version, ", made by a newer sextant; this one ",
                           "reads version ", kVersion, ": use the newer one or another file"));
    }
    if (!empty) return;
    database.run(kSchema);
    database.run(c10::str("PRAGMA user_version = ", kVersion, "; PRAGMA application_id = ", kApplication));
    whole.commit();
  }

  mutable Database database;
};

Ledger::Ledger(const std::filesystem::path& path) {
  const auto folder = std::filesystem::absolute(path).parent_path();
  std::error_code ignored;
  std::filesystem::create_directories(folder, ignored);
  tables_ = std::make_unique<Tables>(path);
}

Ledger::~Ledger() = default;

const std::filesystem::path& Ledger::path() const { return tables_->database.path(); }

std::string Ledger::hash_of(const std::filesystem::path& given, std::string (*compute)(const std::filesystem::path&)) {
  const std::string path = std::filesystem::weakly_canonical(given).string();
  const std::string stamp = stamp_of(path);
  {
    Statement known(tables_->database, "SELECT hash FROM files WHERE path = ? AND stamp = ?");
    if (known.bind(path).bind(stamp).step()) return known.text(0);
  }
  const std::string hash = compute(path);
  Statement(tables_->database, "INSERT OR REPLACE INTO files VALUES(?, ?, ?)").bind(path).bind(stamp).bind(hash).run();
  return hash;
}

Run Ledger::find_or_add(const Run& run) {
  Database& database = tables_->database;
  Statement insert(database,
                   "INSERT OR IGNORE INTO runs(folder, images, state, log, settings, weights, versions, "
                   "seconds_per_image, gradient_norm, key, changed) "
                   "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, datetime())");
  bind(insert, run).bind(run.key).run();
  return *find(run.key);
}

std::optional<Run> Ledger::find(const std::string& key) const {
  Statement found(tables_->database, std::string("SELECT ") + kRunColumns + " FROM runs WHERE key = ?");
  if (!found.bind(key).step()) return std::nullopt;
  return run_of(found);
}

std::optional<Run> Ledger::run(int64_t id) const {
  Statement found(tables_->database, std::string("SELECT ") + kRunColumns + " FROM runs WHERE id = ?");
  if (!found.bind(id).step()) return std::nullopt;
  return run_of(found);
}

std::vector<Run> Ledger::runs() const {
  Statement rows(tables_->database, std::string("SELECT ") + kRunColumns + " FROM runs ORDER BY id");
  std::vector<Run> runs;
  while (rows.step()) runs.push_back(run_of(rows));
  return runs;
}

void Ledger::update(const Run& run) {
  Statement change(tables_->database,
                   "UPDATE runs SET folder = ?, images = ?, state = ?, log = ?, settings = ?, weights = ?, "
                   "versions = ?, seconds_per_image = ?, gradient_norm = ?, changed = datetime() WHERE id = ?");
  bind(change, run).bind(run.id).run();
}

void Ledger::remove(int64_t run) { Statement(tables_->database, "DELETE FROM runs WHERE id = ?").bind(run).run(); }

void Ledger::put_scores(int64_t run, const std::string& judge, int64_t images, const std::vector<Score>& scores) {
  Transaction whole(tables_->database);
  int64_t position = 0;
  for (const Score& score : scores) {
    Statement(tables_->database, "INSERT OR REPLACE INTO scores VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)")
        .bind(run)
        .bind(judge)
        .bind(images)
        .bind(position++)
        .bind(score.metric)
        .bind(score.value)
        .bind(score.deviation)
        .bind(score.low)
        .bind(score.high)
        .run();
  }
  whole.commit();
}

std::vector<Score> Ledger::scores(int64_t run, const std::string& judge, int64_t images) const {
  Statement rows(tables_->database,
                 "SELECT metric, value, deviation, low, high FROM scores WHERE run = ? AND judge = ? AND images = ? "
                 "ORDER BY position");
  rows.bind(run).bind(judge).bind(images);
  return scores_of(rows);
}

std::vector<Score> Ledger::latest_scores(int64_t run) const {
  Statement latest(tables_->database,
                   "SELECT judge, images FROM scores WHERE run = ? ORDER BY images DESC, rowid DESC");
  if (!latest.bind(run).step()) return {};
  return scores(run, latest.text(0), latest.integer(1));
}

void Ledger::put_differences(const std::string& pair, const std::vector<Score>& differences) {
  Transaction whole(tables_->database);
  int64_t position = 0;
  for (const Score& score : differences) {
    Statement(tables_->database, "INSERT OR REPLACE INTO differences VALUES(?, ?, ?, ?, ?, ?, ?)")
        .bind(pair)
        .bind(position++)
        .bind(score.metric)
        .bind(score.value)
        .bind(score.deviation)
        .bind(score.low)
        .bind(score.high)
        .run();
  }
  whole.commit();
}

std::vector<Score> Ledger::differences(const std::string& pair) const {
  Statement rows(tables_->database,
                 "SELECT metric, value, deviation, low, high FROM differences WHERE pair = ? ORDER BY position");
  rows.bind(pair);
  return scores_of(rows);
}

int64_t Ledger::put_sweep(const Sweep& sweep, const std::vector<Cell>& cells) {
  Database& database = tables_->database;
  Transaction whole(database);
  Statement(database,
            "INSERT INTO sweeps(title, out, recipe, began) VALUES(?, ?, ?, datetime()) "
            "ON CONFLICT(out) DO UPDATE SET title = excluded.title, recipe = excluded.recipe")
      .bind(sweep.title)
      .bind(sweep.out)
      .bind(sweep.recipe.dump())
      .run();
  Statement found(database, "SELECT id FROM sweeps WHERE out = ?");
  found.bind(sweep.out).step();
  const int64_t id = found.integer(0);
  Statement(database, "DELETE FROM cells WHERE sweep = ?").bind(id).run();
  int64_t position = 0;
  for (const Cell& cell : cells) {
    Statement(database, "INSERT INTO cells VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)")
        .bind(id)
        .bind(position++)
        .bind(cell.row)
        .bind(cell.column)
        .bind(std::to_string(cell.seed))
        .bind(cell.run)
        .bind(cell.images)
        .bind(cell.judge)
        .bind(cell.paper.dump())
        .run();
  }
  whole.commit();
  return id;
}

std::vector<Sweep> Ledger::sweeps() const {
  Statement rows(tables_->database, "SELECT id, title, out, recipe, began FROM sweeps ORDER BY id");
  std::vector<Sweep> sweeps;
  while (rows.step()) {
    sweeps.push_back({rows.integer(0), rows.text(1), rows.text(2), json::parse(rows.text(3)), rows.text(4)});
  }
  return sweeps;
}

std::vector<Cell> Ledger::cells(int64_t sweep) const {
  Statement rows(tables_->database,
                 "SELECT \"row\", \"column\", seed, run, images, judge, paper FROM cells WHERE sweep = ? "
                 "ORDER BY position");
  rows.bind(sweep);
  std::vector<Cell> cells;
  while (rows.step()) {
    cells.push_back({rows.text(0), rows.text(1), std::stoull(rows.text(2)), rows.integer(3), rows.integer(4),
                     rows.text(5), json::parse(rows.text(6))});
  }
  return cells;
}

}  // namespace sextant::ledger
