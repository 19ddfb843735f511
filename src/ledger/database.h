// SQLite as C++ values: a connection, statements, transactions. Error names the file and SQLite's reason.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace sextant::ledger {

class Database {
 public:
  /// Opens `path`, made where it is not there. A writer waits up to a minute for another.
  explicit Database(const std::filesystem::path& path);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// Runs statements that give no rows.
  void run(const std::string& sql);
  sqlite3* handle() const { return handle_; }
  const std::filesystem::path& path() const { return path_; }
  [[noreturn]] void fail() const;

 private:
  std::string reason_of_last() const;

  std::filesystem::path path_;
  sqlite3* handle_ = nullptr;
};

/// A prepared statement; parameters are bound in order.
class Statement {
 public:
  Statement(Database& database, const std::string& sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& bind(int64_t value);
  Statement& bind(double value);
  Statement& bind(const std::string& value);
  Statement& bind(const std::optional<double>& value);

  /// The next row; false after the last.
  bool step();
  /// For a statement without rows.
  void run() { step(); }

  int64_t integer(int column) const;
  double number(int column) const;
  std::optional<double> maybe(int column) const;  ///< nothing for NULL
  std::string text(int column) const;
  /// Text that was written as JSON, and as a whole number: Error for a file in which it is none.
  nlohmann::json json(int column) const;
  uint64_t unsigned_text(int column) const;
  [[noreturn]] void damaged(const std::string& by) const;

 private:
  void check(int result) const;

  Database& database_;
  sqlite3_stmt* statement_ = nullptr;
  int bound_ = 0;
};

/// All or nothing: rolled back unless commit() was reached. Takes the writer's lock at once, so that what it reads is
/// still so when it writes.
class Transaction {
 public:
  explicit Transaction(Database& database);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Database& database_;
  bool open_ = true;
};

}  // namespace sextant::ledger
