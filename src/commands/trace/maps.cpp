#include <cmath>
#include <cstdio>
#include <map>

#include "common/points.h"
#include "sextant/diffusion/process.h"
#include "sextant/report/drawing.h"
#include "trace/followed.h"

namespace sextant::commands {
namespace {

constexpr int64_t kSide = 112;  ///< of small images, at least

int64_t enlargement(const Tensor& image) {
  return std::max<int64_t>(1, kSide / std::max<int64_t>(1, std::max(image.size(1), image.size(2))));
}

Tensor enlarged(const Tensor& picture, int64_t factor) {
  return picture.repeat_interleave(factor, 0).repeat_interleave(factor, 1);
}

/// [C, H, W] in [-1, 1] as a picture uint8 [H, W, 1 or 3].
Tensor picture_of(const Tensor& image) {
  return enlarged(diffusion::to_uint8(image).permute({1, 2, 0}).contiguous(), enlargement(image));
}

/// The mean over the channels, from blue (-most) over white to red (+most).
Tensor map_of(const Tensor& gradient, double most) {
  const Tensor v = (most > 0 ? gradient.mean(0) / most : at::zeros_like(gradient.mean(0))).clamp(-1, 1).unsqueeze(2);
  const Tensor white = at::full({3}, 247.0F);
  const Tensor red = at::tensor({178.0F, 24.0F, 43.0F});
  const Tensor blue = at::tensor({33.0F, 102.0F, 172.0F});
  const Tensor coloured = white + v.clamp_min(0) * (red - white) + (-v).clamp_min(0) * (blue - white);
  return enlarged(coloured.round().to(at::kByte), enlargement(gradient));
}

double largest(const std::vector<Frame>& frames) {
  double most = 0;
  for (const Frame& frame : frames) {
    if (frame.gradient.defined()) most = std::max(most, frame.gradient.mean(0).abs().max().item<double>());
  }
  return most;
}

std::string rounded(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2g", value);
  return text;
}

/// The points of a method at one step, with arrows where it was guided. Pictures stand side by side and share the
/// legend of the last.
Tensor point_map(const Followed& method, int64_t step, bool last) {
  std::vector<Tensor> points, arrows;
  std::vector<int64_t> labels;
  for (const Frame& frame : method.frames) {
    if (frame.step != step) continue;
    points.push_back(frame.x_t.flatten());
    labels.push_back(method.labels[static_cast<std::size_t>(frame.sample)]);
    if (frame.gradient.defined()) arrows.push_back(frame.gradient.flatten());
  }
  const bool guided = !arrows.empty() && arrows.size() == points.size();
  return report::rasterized(draw_points(at::stack(points), at::tensor(labels, at::kLong),
                                        guided ? at::stack(arrows) : Tensor(), "t " + std::to_string(step), last));
}

report::Montage point_maps(const std::vector<Followed>& methods) {
  report::Montage montage;
  montage.letters = kLettersBesidePoints;
  montage.title = "x_t, and the gradient as arrows";
  for (const Followed& method : methods) {
    montage.rows.push_back(method.name);
    montage.cells.emplace_back();
    std::vector<int64_t> steps;
    for (const Frame& frame : method.frames) {
      if (frame.sample == method.frames.front().sample) steps.push_back(frame.step);
    }
    for (const int64_t step : steps) montage.cells.back().push_back(point_map(method, step, step == steps.back()));
  }
  return montage;
}

}  // namespace

report::Montage maps_of(const std::vector<Followed>& methods) {
  if (methods.front().points) return point_maps(methods);
  report::Montage montage;
  montage.letters = 15;
  montage.title = "Gradient: red raises the score, blue lowers it";
  // Methods that make other numbers of steps show other ones: what stands below a caption is of its image and step.
  std::map<std::pair<int64_t, int64_t>, std::size_t> columns;  // by image, from the noisiest step on
  for (const Followed& method : methods) {
    for (const Frame& frame : method.frames) columns[{frame.sample, -frame.step}] = 0;
  }
  for (auto& [shown, column] : columns) {
    column = montage.columns.size();
    montage.columns.push_back("image " + std::to_string(shown.first) + ", t " + std::to_string(-shown.second));
  }
  for (const Followed& method : methods) {
    const double most = largest(method.frames);
    for (const char* row : {"x_t", "x0-hat"}) montage.rows.push_back(method.name + ": " + row);
    montage.rows.push_back("gradient, to ±" + rounded(most));
    const std::size_t first = montage.cells.size();
    montage.cells.resize(first + 3, std::vector<Tensor>(columns.size()));
    for (const Frame& frame : method.frames) {
      const std::size_t column = columns.at({frame.sample, -frame.step});
      montage.cells[first][column] = picture_of(frame.x_t);
      montage.cells[first + 1][column] = picture_of(frame.x0);
      if (frame.gradient.defined()) montage.cells[first + 2][column] = map_of(frame.gradient, most);
    }
  }
  return montage;
}

}  // namespace sextant::commands
