// One method, followed along its steps.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "internal/commands/trace.h"
#include "sextant/report/drawing.h"

namespace sextant::commands {

/// An image at one step, for maps.png. Tensors [C, H, W], float32, CPU.
struct Frame {
  int64_t sample = 0;
  int64_t step = 0;
  Tensor x_t;       ///< in [-1, 1] where it is an image; shrunk to RMS 1 where it is larger; decoded from latents
  Tensor x0;        ///< likewise
  Tensor gradient;  ///< g without the scale, at pixels: of latents, how it moves the decoded ones; undefined unguided
};

/// What happened to all images of a method.
struct Followed {
  std::string name;
  double scale = 1;  ///< that gradients are given without
  int64_t num_steps = 0;
  bool points = false;          ///< the model draws points, no images
  std::vector<int64_t> labels;  ///< of each image
  Tensor numbers;               ///< [N, num_steps, kTraceNumbers]: see GuidanceTrace; |g| without the scale
  std::vector<Frame> frames;    ///< by sample, then from the noisiest step on
  bool complete = false;        ///< false after a stop
};

/// Which images and steps are framed; `at` empty is five steps from first to last.
struct MapChoice {
  std::vector<int64_t> samples;
  std::vector<int64_t> at;
};

/// Draws all images of the method. UsageError where nothing watches it, for a step of `shown` that it does not make,
/// and where Followed::numbers would be more than `most`.
Followed follow(const TraceMethod& method, const MapChoice& shown, int64_t most, Progress& progress, const Stop& stop);

/// Means of all images at each guided step, from the noisiest on: [{"step", "images", "gradient_norm", "probability",
/// "entropy", "probability_top": mean p(target) of the quarter of the images with the largest at this step, "vanished":
/// share of the images whose |g| is below 1 % of that at their first guided step}].
nlohmann::json means_of(const Followed& method);

/// Every number: {"name", "num_steps", "scale", "means", "steps": noisiest first, "samples": [{"sample", "label",
/// "gradient_norm", "probability", "entropy": a number for each step, null where it was not guided}]}.
nlohmann::json record_of(const Followed& method);

/// confidence, gradient-norm, entropy and vanished, .svg and .png, into `folder`.
void draw_curves(const std::filesystem::path& folder, const std::vector<Followed>& methods);

/// maps.png: three rows a method, x_t, x0-hat and its gradient, each gradient row with one scale of colours. A column
/// for each image and step that any method shows, empty where a method does not. Points take one row a method: x_t at
/// each step, with the gradient as arrows, the longest of a picture equally long in all.
report::Montage maps_of(const std::vector<Followed>& methods);

}  // namespace sextant::commands
