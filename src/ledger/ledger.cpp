#include "internal/ledger/ledger.h"

#include <c10/util/StringUtil.h>
#include <sys/stat.h>

#include <algorithm>

#include "internal/runtime/folder.h"
#include "sextant/runtime/error.h"
#include "tables.h"

namespace sextant::ledger {

using nlohmann::json;

namespace {

constexpr const char* kRunColumns =
    "id, key, folder, images, state, log, settings, weights, versions, seconds_per_image, gradient_norm, changed";

Run run_of(const Statement& row) {
  Run run;
  run.id = row.integer(0);
  run.key = row.text(1);
  run.folder = row.text(2);
  run.images = row.integer(3);
  const int64_t state = row.integer(4);
  if (state < 0 || state > static_cast<int64_t>(State::kFailed)) row.damaged("a state that is none");
  run.state = static_cast<State>(state);
  run.log = row.text(5);
  run.settings = row.json(6);
  const bool tables =
      std::all_of(run.settings.begin(), run.settings.end(), [](const json& t) { return t.is_object(); });
  if (!run.settings.is_object() || !tables) row.damaged("settings that are no tables");
  run.weights = row.json(7);
  run.versions = row.json(8);
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
  for (const auto& file : files_below(path)) add(file);
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
                   "versions = ?, seconds_per_image = ?, gradient_norm = ?, changed = datetime() WHERE key = ?");
  bind(change, run).bind(run.key).run();  // SQLite gives the id of a forgotten run to another
}

void Ledger::remove(int64_t run) { Statement(tables_->database, "DELETE FROM runs WHERE id = ?").bind(run).run(); }

}  // namespace sextant::ledger
