// Tables: which cells they have and which runs fill them.
#include "tables.h"

namespace sextant::ledger {

using nlohmann::json;

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
    sweeps.push_back({rows.integer(0), rows.text(1), rows.text(2), rows.json(3), rows.text(4)});
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
    cells.push_back({rows.text(0), rows.text(1), rows.unsigned_text(2), rows.integer(3), rows.integer(4), rows.text(5),
                     rows.json(6)});
  }
  return cells;
}

}  // namespace sextant::ledger
