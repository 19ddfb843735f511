// What was measured of a run, and of pairs of runs.
#include "tables.h"

namespace sextant::ledger {
namespace {

Statement& bind(Statement& statement, const Score& score) {
  return statement.bind(score.metric).bind(score.value).bind(score.deviation).bind(score.low).bind(score.high);
}

std::vector<Score> scores_of(Statement& rows) {
  std::vector<Score> scores;
  while (rows.step()) {
    scores.push_back({rows.text(0), rows.number(1), rows.maybe(2), rows.maybe(3), rows.maybe(4)});
  }
  return scores;
}

}  // namespace

void Ledger::put_scores(int64_t run, const std::string& judge, int64_t images, const std::vector<Score>& scores) {
  Transaction whole(tables_->database);
  int64_t position = 0;
  for (const Score& score : scores) {
    Statement row(tables_->database, "INSERT OR REPLACE INTO scores VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)");
    bind(row.bind(run).bind(judge).bind(images).bind(position++), score).run();
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
    Statement row(tables_->database, "INSERT OR REPLACE INTO differences VALUES(?, ?, ?, ?, ?, ?, ?)");
    bind(row.bind(pair).bind(position++), score).run();
  }
  whole.commit();
}

std::vector<Score> Ledger::differences(const std::string& pair) const {
  Statement rows(tables_->database,
                 "SELECT metric, value, deviation, low, high FROM differences WHERE pair = ? ORDER BY position");
  rows.bind(pair);
  return scores_of(rows);
}

}  // namespace sextant::ledger
