// Sets of images compared by their features: distances, manifolds, and how far a number may be off; and what a
// classifier says of them.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "sextant/runtime/tensor.h"

namespace sextant::metrics {

// Features are [N, D], one row per image, logits [N, K] of an image classifier: float32 or float64, any device. What is
// made of them is computed in float64 on the CPU, on as many threads as libtorch uses within one operation; results do
// not depend on that number, but for the last digits of the Frechet distance, whose products are the BLAS's. No
// function of this module keeps state, draws from a hidden generator or changes its arguments. All throw ShapeError for
// a wrong shape or dtype and NumericError, which names the first bad row, for NaN or infinity.

/// Mean and covariance of a set of features.
struct Gaussian {
  Tensor mean;        ///< [D]
  Tensor covariance;  ///< [D, D], divided by count - 1
  int64_t count = 0;  ///< samples behind it; 0 where a file does not say
};

/// Collects features batch by batch. Blocks are centred on their own mean and merged (Chan et al. 1983), so nothing
/// cancels however far the mean is from zero; memory is D^2 numbers whatever the number of samples.
class GaussianAccumulator {
 public:
  explicit GaussianAccumulator(int64_t dimensions);

  void add(const Tensor& features);
  void merge(const GaussianAccumulator& other);
  /// Merges with the accumulators of other processes, each of which calls this: `sum` replaces a tensor by its sum over
  /// them.
  void merge_all(const std::function<void(const Tensor&)>& sum);

  int64_t count() const { return count_; }
  int64_t dimensions() const { return mean_.numel(); }
  /// Throws NumericError for fewer than two samples, which have no covariance.
  Gaussian gaussian() const;

 private:
  void add_block(const Tensor& block);
  void merge_mean(const Tensor& mean, int64_t count);

  int64_t count_ = 0;
  Tensor mean_;     ///< [D]
  Tensor scatter_;  ///< [D, D] sum of (x - mean)(x - mean)^T; its lower triangle counts
};

Gaussian gaussian_of(const Tensor& features);

// Frechet distance between two sets of images; FID, sFID and FD_DINOv2 are this on different features.

struct FrechetDistance {
  double value = 0;       ///< >= 0
  double mean_term = 0;   ///< |mu1 - mu2|^2
  double trace_root = 0;  ///< Tr (S1 S2)^(1/2)
};

/// |mu1 - mu2|^2 + Tr(S1 + S2 - 2 (S1 S2)^(1/2)). FID, sFID and FD_DINOv2 are this on different features. With S = L
/// L^T the trace of the root is the sum of the singular values of L1^T L2: no complex root and no regularisation, exact
/// for singular covariances (fewer samples than dimensions) too. Throws ShapeError where a covariance is not symmetric.
FrechetDistance frechet_distance(const Gaussian& a, const Gaussian& b);

/// Frechet distance to `reference` as the number of samples goes to infinity (Chong & Forsyth 2020): distances of
/// `points` subsets of `features`, of sizes from `smallest` to N, against 1/size; the intercept of their least-squares
/// line. UsageError for fewer than 2 points, and unless 2 <= smallest < N.
struct FrechetInfinity {
  double value = 0;
  double slope = 0;               ///< of the distance over 1/N
  std::vector<int64_t> sizes;     ///< of the subsets
  std::vector<double> distances;  ///< of the subsets
};
FrechetInfinity frechet_infinity(const Tensor& features, const Gaussian& reference, int64_t smallest,
                                 int64_t points = 15, uint32_t seed = 0);

// Maximum mean discrepancy between two sets of features (Gretton et al. 2012), and KID.

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

/// Unbiased squared maximum mean discrepancy of two sets of at least two samples each, else UsageError, as for a kernel
/// without a meaning; may be negative.
double squared_mmd(const Tensor& a, const Tensor& b, const Kernel& kernel = {});

struct KernelDistance {
  double mean = 0;
  double standard_deviation = 0;  ///< of the population of subsets
  Tensor subsets;                 ///< [subsets] squared MMD of each
};

/// KID (Binkowski et al. 2018): squared MMD of pairs of random subsets, drawn as torch-fidelity does (numpy's
/// RandomState(seed), first set first). Throws UsageError where a set has fewer than `subset_size` samples. Sums are
/// float64; the products of a polynomial kernel are float32 where both sets are, as torch-fidelity's.
KernelDistance kernel_distance(const Tensor& a, const Tensor& b, int64_t subsets = 100, int64_t subset_size = 1000,
                               const Kernel& kernel = {}, uint32_t seed = 2020);

/// The same for given subsets: indices [subsets, 2, size], integers, into a and b; UsageError for one out of range.
KernelDistance kernel_distance(const Tensor& a, const Tensor& b, const Tensor& indices, const Kernel& kernel = {});

// What share of two sets lies in the other's manifold: precision and recall, density and coverage.

/// Processes that compute one number together, each with the same arguments; by default this one alone. Each takes some
/// of the rows of distances, and all get the numbers of one process alone.
struct Together {
  int64_t rank = 0;  ///< of this process
  int64_t size = 1;
  std::function<void(const Tensor&)> sum = {};  ///< replaces a float64 tensor by its sum over the processes
};

struct PrecisionRecall {
  double precision = 0;            ///< share of samples inside the reference's manifold
  double recall = 0;               ///< share of the reference inside the samples' manifold
  double f_score = 0;              ///< harmonic mean; 0 where both are 0
  Tensor sample_in_reference;      ///< [samples] bool
  Tensor reference_in_sample;      ///< [references] bool
  Tensor radii_squared_reference;  ///< [references]
  Tensor radii_squared_sample;     ///< [samples]
};

/// Improved precision and recall (Kynkaanniemi et al. 2019). The manifold of a set is the union of balls around its
/// points, each reaching to the point's `neighbours`-th nearest neighbour in the set, itself not counted; the boundary
/// belongs to it. OpenAI's evaluator and torch-fidelity agree on this. Decisions are those of float64 distances; memory
/// is a small multiple of the features'. UsageError unless both sets have more than `neighbours` points, at least 1.
PrecisionRecall precision_recall(const Tensor& reference, const Tensor& sample, int64_t neighbours = 3,
                                 const Together& together = {});

struct DensityCoverage {
  double density = 0;   ///< mean number of reference balls a sample lies in, over `neighbours`; may exceed 1
  double coverage = 0;  ///< share of reference balls that hold a sample
};

/// Naeem et al. 2020, whose balls are open. UsageError as precision_recall().
DensityCoverage density_coverage(const Tensor& reference, const Tensor& sample, int64_t neighbours = 5,
                                 const Together& together = {});

// How far a statistic of samples may be off.

struct Interval {
  double low = 0;
  double high = 0;
  double standard_deviation = 0;  ///< of the statistic over the resamples
};

/// Percentile bootstrap: `statistic` of `resamples` draws of `count` indices [count] int64 out of [0, count), with
/// replacement. UsageError for no samples, fewer than 2 resamples or a level that is not in (0, 1); NumericError for a
/// statistic that is not finite.
Interval bootstrap(int64_t count, const std::function<double(const Tensor& indices)>& statistic,
                   int64_t resamples = 1000, double level = 0.95, uint32_t seed = 0);

/// The same for the mean of `values` [N].
Interval bootstrap_mean(const Tensor& values, int64_t resamples = 1000, double level = 0.95, uint32_t seed = 0);

// ---- of logits ----------------------------------------------------------------------------------------------------
//
// What a classifier's logits say about samples.

// Inception Score (Salimans et al. 2016) of logits.

struct MeanStd {
  double mean = 0;
  double standard_deviation = 0;  ///< of the population: divided by n
};

/// exp(mean KL(p(y|x) || p(y))) of consecutive chunks of `chunk` samples, a short last chunk counted like a full one
/// (Salimans et al. 2016, as OpenAI's evaluator computes it). Logits of the FID network are without the bias of its
/// last layer. UsageError for a chunk below 1.
MeanStd inception_score_chunks(const Tensor& logits, int64_t chunk = 5000);

/// The same over `splits` equal parts [i N / splits, (i + 1) N / splits) of logits[permutation]; an undefined
/// permutation keeps the order. permutation [N], integers: UsageError unless each of 0 to N - 1 is there once, and for
/// fewer than 1 or more than N splits.
/// torch-fidelity takes 10 splits of numpy_permutation(N, 2020).
MeanStd inception_score_splits(const Tensor& logits, int64_t splits = 10, const Tensor& permutation = {});

// The random order in which published evaluators take their samples.

/// numpy.random.RandomState(seed).permutation(count): [count] int64.
Tensor numpy_permutation(int64_t count, uint32_t seed);

// How often a classifier agrees with the label that an image was drawn for.

struct ClassAccuracy {
  double overall = 0;
  Tensor count;     ///< [K] int64 samples of each class
  Tensor accuracy;  ///< [K]; 0 where a class has no samples
};

/// How often a classifier sees in a sample the class it was drawn for. labels [N] int64 in [0, K), else ShapeError; the
/// first of equal logits wins.
ClassAccuracy class_accuracy(const Tensor& logits, const Tensor& labels);

}  // namespace sextant::metrics
