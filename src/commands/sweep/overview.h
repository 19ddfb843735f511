// The picture of a sweep.
#pragma once

#include <filesystem>
#include <optional>

#include "internal/commands/sweep.h"
#include "internal/report/forest.h"
#include "sextant/report/drawing.h"

namespace sextant::commands {

/// Where the images of one line of the table are.
struct ShownRun {
  std::string row, column, folder;
  Tensor correct;                  ///< [N], 1 where the judge reads the image as asked and 0 where not, or undefined
  std::optional<double> accuracy;  ///< the line's, over its seeds
};

/// Rows and columns of the sweep with the first images of each run; those whose images are gone are left out. What the
/// judge misreads has a red frame, and the accuracy stands beside the row, as in the table.
report::Drawing overview(const std::vector<ShownRun>& runs, const SweepConfig& config);

/// differences.svg and .png; of no panels none, and those of an earlier table go.
void write_differences(const std::filesystem::path& folder, const report::Forest& forest);

}  // namespace sextant::commands
