// Tables and JSON of an evaluation.
#pragma once

#include "internal/commands/evaluate.h"

namespace sextant::commands {

/// metrics.json, table.md and table.csv in config.run.out.
void write_evaluation(const EvaluateConfig& config, const evaluation::Evaluation& evaluation,
                      const nlohmann::json& weights);

}  // namespace sextant::commands
