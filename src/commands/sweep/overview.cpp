#include "sweep/overview.h"

#include <algorithm>

#include "common/points.h"
#include "internal/report/table.h"
#include "sextant/checkpoint/checkpoint.h"
#include "sextant/report/drawing.h"

namespace sextant::commands {
namespace {

constexpr int64_t kFrame = 3;  // pixels around an image, white or red

/// [N, H, W, 1 or 3], each `scale` times as large, in colour and in its frame: [N, H', W', 3].
Tensor framed(const Tensor& images, const Tensor& correct, int64_t scale) {
  const int64_t n = images.size(0);
  Tensor large = images.repeat_interleave(scale, 1).repeat_interleave(scale, 2);
  if (large.size(3) == 1) large = large.expand({n, large.size(1), large.size(2), 3});
  Tensor tiles = at::full({n, large.size(1) + 2 * kFrame, large.size(2) + 2 * kFrame, 3}, 255, at::kByte);
  const Tensor red = at::tensor({214, 48, 39}, at::kByte);
  for (int64_t i = 0; i < n; ++i) {
    if (correct.defined() && correct[i].item<double>() == 0) tiles[i].copy_(red.expand_as(tiles[i]));
  }
  tiles.slice(1, kFrame, kFrame + large.size(1)).slice(2, kFrame, kFrame + large.size(2)).copy_(large);
  return tiles;
}

/// "96.6 %"
std::string percent(std::optional<double> share) { return share ? report::fixed(100 * *share, 1) + " %" : ""; }

}  // namespace

report::Drawing overview(const std::vector<ShownRun>& runs, const SweepConfig& config) {
  report::Montage montage;
  montage.title = config.title;
  const auto place = [](std::vector<std::string>& names, const std::string& name) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
    names.push_back(name);
    return names.size() - 1;
  };
  const bool single = std::all_of(runs.begin(), runs.end(), [](const ShownRun& run) { return run.column.empty(); });
  for (const ShownRun& run : runs) {
    const std::filesystem::path samples = std::filesystem::path(run.folder) / "samples.npz";
    if (!std::filesystem::exists(samples)) continue;
    const checkpoint::NpzReader reader(samples);
    const Tensor images = reader.read("arr_0");
    const bool points = images.is_floating_point();
    if (!points && (images.dim() != 4 || (images.size(3) != 1 && images.size(3) != 3))) continue;
    const std::size_t row = place(montage.rows, run.row);
    if (single) {
      montage.values.resize(montage.rows.size());
      montage.values[row] = percent(run.accuracy);
    }
    const std::size_t column = place(montage.columns, run.column);
    montage.cells.resize(std::max(montage.cells.size(), row + 1));
    montage.cells[row].resize(std::max(montage.cells[row].size(), column + 1));
    if (points) {
      montage.letters = kLettersBesidePoints;
      montage.cells[row][column] = report::rasterized(draw_points(images, reader.read("arr_1").to(at::kLong)));
      continue;
    }
    // A folder may hold more images than this sweep asks for: those that were judged come first.
    const int64_t judged = run.correct.defined() ? run.correct.size(0) : images.size(0);
    const int64_t shown = std::min({images.size(0), judged, config.picture_images});
    const int64_t scale = std::max<int64_t>(1, 56 / images.size(2));
    report::GridStyle style{std::min<int64_t>(10, shown), 1, 1, 255};
    montage.cells[row][column] = report::grid(framed(images.narrow(0, 0, shown), run.correct, scale), style);
  }
  return report::draw(montage);
}

void write_differences(const std::filesystem::path& folder, const report::Forest& forest) {
  if (!forest.panels.empty()) return report::write_svg_and_png(folder / "differences", report::draw(forest));
  for (const char* file : {"differences.svg", "differences.png"}) std::filesystem::remove(folder / file);
}

}  // namespace sextant::commands
