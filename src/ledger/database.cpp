#include "database.h"

#include <charconv>

#include "internal/runtime/utf8.h"
#include "sextant/runtime/error.h"

namespace sextant::ledger {

Database::Database(const std::filesystem::path& path) : path_(path) {
  constexpr int kMinute = 60'000;
  if (sqlite3_open_v2(path.c_str(), &handle_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr) != SQLITE_OK) {
    const std::string reason = handle_ ? reason_of_last() : "out of memory";
    sqlite3_close(handle_);
    throw Error("cannot open the ledger " + path.string() + ": " + reason);
  }
  sqlite3_busy_timeout(handle_, kMinute);
}

Database::~Database() { sqlite3_close(handle_); }

std::string Database::reason_of_last() const {
  // It quotes what it finds in a damaged file.
  constexpr std::size_t kLongest = 200;
  const std::string reason = one_line(sqlite3_errmsg(handle_));
  return reason.size() > kLongest ? reason.substr(0, kLongest) + "..." : reason;
}

void Database::fail() const {
  if (sqlite3_errcode(handle_) == SQLITE_NOTADB) throw Error(path_.string() + " is no ledger: it is no SQLite file");
  throw Error("ledger " + path_.string() + ": " + reason_of_last());
}

void Database::run(const std::string& sql) {
  if (sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) fail();
}

Statement::Statement(Database& database, const std::string& sql) : database_(database) {
  check(sqlite3_prepare_v2(database.handle(), sql.c_str(), -1, &statement_, nullptr));
}

Statement::~Statement() { sqlite3_finalize(statement_); }

void Statement::check(int result) const {
  if (result != SQLITE_OK) database_.fail();
}

Statement& Statement::bind(int64_t value) {
  check(sqlite3_bind_int64(statement_, ++bound_, value));
  return *this;
}

Statement& Statement::bind(double value) {
  check(sqlite3_bind_double(statement_, ++bound_, value));
  return *this;
}

Statement& Statement::bind(const std::string& value) {
  check(sqlite3_bind_text(statement_, ++bound_, value.data(), static_cast<int>(value.size()), SQLITE_TRANSIENT));
  return *this;
}

Statement& Statement::bind(const std::optional<double>& value) {
  if (value) return bind(*value);
  check(sqlite3_bind_null(statement_, ++bound_));
  return *this;
}

bool Statement::step() {
  const int result = sqlite3_step(statement_);
  if (result == SQLITE_ROW) return true;
  if (result != SQLITE_DONE) database_.fail();
  return false;
}

int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_, column); }

double Statement::number(int column) const { return sqlite3_column_double(statement_, column); }

std::optional<double> Statement::maybe(int column) const {
  if (sqlite3_column_type(statement_, column) == SQLITE_NULL) return std::nullopt;
  return number(column);
}

std::string Statement::text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return text ? std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))) : "";
}

nlohmann::json Statement::json(int column) const {
  nlohmann::json value = nlohmann::json::parse(text(column), nullptr, false);
  if (value.is_discarded()) damaged("a record that is no JSON");
  return value;
}

uint64_t Statement::unsigned_text(int column) const {
  const std::string digits = text(column);
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) damaged("a seed that is no number");
  return value;
}

void Statement::damaged(const std::string& by) const {
  throw Error("ledger " + database_.path().string() + " is damaged: it holds " + by);
}

Transaction::Transaction(Database& database) : database_(database) { database_.run("BEGIN IMMEDIATE"); }

Transaction::~Transaction() {
  if (open_) sqlite3_exec(database_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void Transaction::commit() {
  database_.run("COMMIT");
  open_ = false;
}

}  // namespace sextant::ledger
