// Maximum mean discrepancy between two sets of features (Gretton et al. 2012), and KID. See gaussian.h for what all
// metrics have in common.
#pragma once

#include <cstdint>

#include "sextant/runtime/tensor.h"

namespace sextant::metrics {

struct Kernel {
  enum class Kind {
    kPolynomial,  ///< (gamma x.y + offset)^degree
    kRbf,         ///< exp(-|x - y|^2 / (2 sigma^2))
  };
  Kind kind = Kind::kPolynomial;
  int degree = 3;
  double gamma = 0;  ///< 0 stands for 1/D
  double offset = 1;
  double sigma = 10;
};

/// Unbiased squared maximum mean discrepancy of two sets of at least two samples each; may be negative.
double squared_mmd(const Tensor& a, const Tensor& b, const Kernel& kernel = {});

struct KernelDistance {
  double mean = 0;
  double standard_deviation = 0;  ///< of the population of subsets
  Tensor subsets;                 ///< [subsets] squared MMD of each
};

/// KID (Binkowski et al. 2018): squared MMD of pairs of random subsets, drawn as torch-fidelity does (numpy's
/// RandomState(seed), first set first). Throws UsageError where a set has fewer than `subset_size` samples.
KernelDistance kernel_distance(const Tensor& a, const Tensor& b, int64_t subsets = 100, int64_t subset_size = 1000,
                               const Kernel& kernel = {}, uint32_t seed = 2020);

/// The same for given subsets: indices [subsets, 2, size] int64 into a and b.
KernelDistance kernel_distance(const Tensor& a, const Tensor& b, const Tensor& indices, const Kernel& kernel = {});

}  // namespace sextant::metrics
