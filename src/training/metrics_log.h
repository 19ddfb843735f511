// metrics.jsonl: one JSON object a line, for every few steps and every validation.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include "sextant/training/objectives.h"

namespace sextant::training {

/// Five digits for a reader.
std::string report_number(double value);

/// Sums over the steps since the last line, whose means are the next one's: part of a training's state.
struct StepSums {
  Numbers numbers;
  double norm = 0;
  int64_t steps = 0;
};

nlohmann::json to_json(const StepSums& sums);
/// json::exception for an object of another form.
StepSums step_sums_of(const nlohmann::json& object);

class MetricsLog {
 public:
  /// Keeps the lines of steps up to `step`, which a continued run does not repeat, and goes on with its `sums`.
  MetricsLog(std::filesystem::path path, int64_t step, StepSums sums);

  /// Adds a step to the means of the next line.
  void note(const Numbers& numbers, double norm, double seconds, int64_t images);
  /// Writes the means; returns them as a line for a terminal. `loss_scale` 0 leaves it out.
  std::string write(int64_t step, int64_t steps, double learning_rate, double loss_scale);
  void write_validation(int64_t step, int64_t epoch, const Numbers& numbers);
  const StepSums& sums() const { return sums_; }

 private:
  void append(const nlohmann::ordered_json& line);

  std::filesystem::path path_;
  std::ofstream file_;
  StepSums sums_;
  double seconds_ = 0;  ///< of this process, as images_
  int64_t images_ = 0;
};

}  // namespace sextant::training
