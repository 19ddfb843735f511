// What an independent network makes of samples.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "sextant/feature_network.h"
#include "sextant/metrics.h"

namespace sextant::run {

struct Verdict {
  double accuracy = 0;            ///< share of the images that it reads as their label
  std::optional<double> frechet;  ///< distance to the reference; none with fewer than two images or without a reference
  int64_t count = 0;
};

class Judge {
 public:
  /// `reference` is an .npz with "mu" and "sigma" of the network's features, or "". UsageError when the two do not fit.
  Judge(const std::string& network, const std::string& arch, const std::string& reference, at::Device device);

  /// Judges the arr_0 and arr_1 of a samples.npz.
  Verdict judge(const std::filesystem::path& samples) const;

 private:
  std::shared_ptr<const networks::FeatureNetwork> network_;
  std::optional<metrics::Gaussian> reference_;
  at::Device device_;
};

}  // namespace sextant::run
