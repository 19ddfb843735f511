// Noise levels at which a classifier is measured: how images get there and back.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "internal/commands/calibrate.h"
#include "sextant/models/classifier.h"
#include "sextant/runtime/tensor.h"

namespace sextant::commands {

/// Standard deviations where an EDM model's are left out.
inline constexpr const char* kUsualSigmas = "0.1,0.2,0.5,1,2,5,10,20,50";

class Levels {
 public:
  virtual ~Levels() = default;

  const std::vector<double>& values() const { return values_; }
  bool denoises() const { return denoises_; }
  /// What the levels are: "t" or "sigma".
  const std::string& symbol() const { return symbol_; }

  /// x_t of clean images x0 [N, C, H, W] in [-1, 1] that are numbers `samples` of their set. The noise of a sample at a
  /// level depends on the seed, the sample and the level alone.
  virtual Tensor noised(const Tensor& x0, double level, const std::vector<int64_t>& samples) const = 0;
  /// The model's estimate of x0 from x_t, clipped to [-1, 1].
  virtual Tensor denoised(const Tensor& x_t, double level, const Tensor& labels) const = 0;
  /// What a noise-aware classifier is told at a level, for each of x_t.
  virtual Tensor time(const Tensor& x_t, double level) const = 0;

 protected:
  std::vector<double> values_;
  bool denoises_ = false;
  std::string symbol_ = "t";
};

/// The levels that `config` asks for, null where it asks for none. `images` [C, H, W]; `noise_aware` and `classes` are
/// the classifier's. UsageError for levels that the process does not have, and for a model of other images or classes.
std::unique_ptr<Levels> open_levels(const CalibrateConfig& config, const std::vector<int64_t>& images, bool noise_aware,
                                    int64_t classes, models::Placement placement);

/// What the classifier is; the first one where there are several.
models::Description described(const models::ClassifierConfig& classifier);

/// "0,2.5,10" as numbers. UsageError that begins with `flag`.
std::vector<double> parse_numbers(const std::string& flag, const std::string& text);

}  // namespace sextant::commands
