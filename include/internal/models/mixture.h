// Gaussian mixtures as models: folders whose config.json is all there is, without a file of weights.
//
//   {"type": "mixture",
//    "model": {"means": [[...], ...], "covariances": ..., "weights": [...]},
//    "diffusion": {"noise_schedule": "linear", "steps": 1000}}
//
//   means        K lists of d numbers, K from 2 to 1000: the classes 0 to K-1
//   covariances  a number s for s I; K numbers; K lists of d numbers, the diagonals; or K matrices d x d
//   weights      K positive numbers with sum 1; left out they are 1/K
//   diffusion    the process whose timesteps it counts; left out it counts noise levels
//
// As a diffusion model it draws points, [d, 1, 1] in unbounded numbers, which samples.npz holds as float32 [N, d]; the
// null label is K. As a classifier it answers with the exact posterior's logits, of x0, or where it is asked to read
// noisy points, of x_t. CheckpointError in one line for a config.json that describes no mixture.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "sextant/diffusion/mixture.h"
#include "sextant/models/classifier.h"
#include "sextant/models/models.h"

namespace sextant::models {

/// Whether a config.json is of this type.
bool is_mixture(const nlohmann::json& config);

/// Whether `path` is the folder of one.
bool is_mixture_folder(const std::filesystem::path& path);

/// Whether a noise-aware classifier is told noise levels, which only mixtures without "diffusion" are. UsageError where
/// some of several are and others are not.
bool reads_noise_levels(const ClassifierConfig& classifier);

/// "points of 2 dimensions" or "images of 1 channel", for messages.
std::string points_or_images(int64_t channels, bool points);

/// The mixture of a description, in float64 on `device`.
diffusion::Mixture open_mixture(const Description& description, at::Device device);

/// Exact draws: points float32 [count, d, 1, 1] and the components that they are of, int64 [count], drawn by the
/// weights. Point i depends on the seed and i alone.
struct Points {
  Tensor x;
  Tensor labels;
};
Points draw_points(const Description& description, int64_t count, uint64_t seed);

}  // namespace sextant::models
