// The results of a sweep: a line for each row and column, over its seeds, as numbers and as a table.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "internal/ledger/ledger.h"
#include "internal/report/forest.h"
#include "internal/report/table.h"
#include "sweep/judge.h"

namespace sextant::commands {

struct MetricLine {
  std::string metric;
  std::vector<double> seeds;  ///< the number of each seed
  double mean = 0;
  std::optional<double> spread;             ///< standard deviation over seeds, with two or more
  std::optional<double> low, high;          ///< interval of a single seed's number
  std::optional<double> paper;              ///< as printed
  std::optional<ledger::Score> difference;  ///< from the baseline
  bool best = false;                        ///< of its column in the table
};

struct ResultLine {
  std::string row, column;
  std::vector<uint64_t> seeds;
  std::vector<int64_t> runs;  ///< their ids in the ledger
  int64_t images = 0;         ///< a seed
  double seconds_per_image = 0;
  double gradient_norm = 0;
  bool baseline = false;
  std::vector<MetricLine> metrics;
};

/// A metric of a line from the scores of its seeds.
std::vector<MetricLine> metric_lines(const std::vector<std::vector<ledger::Score>>& seeds, const nlohmann::json& paper);

/// Marks the best mean of each metric, where there are two or more.
void mark_best(std::vector<ResultLine>& lines);

/// The differences to the baseline of each metric that has any with an interval; no panels without.
report::Forest differences_drawing(const std::vector<ResultLine>& lines,
                                   const std::function<std::string(const std::string&)>& label, double level);

nlohmann::json results_json(const std::vector<ResultLine>& lines);

/// As readers want it: mean and spread, the difference and its interval, the printed number.
report::Table results_table(const std::vector<ResultLine>& lines,
                            const std::function<std::string(const std::string&)>& label, double level);

}  // namespace sextant::commands
