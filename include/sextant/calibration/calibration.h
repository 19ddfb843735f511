// How well a classifier's probabilities fit, and what repairs them.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "sextant/runtime/range.h"
#include "sextant/runtime/tensor.h"

namespace sextant::calibration {

// Does a classifier's confidence mean what it says? Measures of its logits on labelled samples.
//
//   f   logits  [N, K], N >= 1, K >= 2, float32 or float64, any device
//   y   labels  [N], int64 in [0, K), on f's device
//
// Pure functions: no state, no randomness, arguments untouched, callable from any thread. Measures are computed in
// float64. All throw ShapeError for wrong shapes and labels and NumericError for NaN or infinity.

struct Predictions {
  Tensor confidence;  ///< [N] float64: the largest probability
  Tensor prediction;  ///< [N] int64: its class, the first of equals
  Tensor correct;     ///< [N] float64: 1 where the prediction is the label, else 0
};
Predictions predict(const Tensor& f, const Tensor& y);

double accuracy(const Tensor& f, const Tensor& y);
/// Mean of -log p(y|x), in nats.
double negative_log_likelihood(const Tensor& f, const Tensor& y);
/// Mean over samples of sum_k (p_k - [k = y])^2.
double brier_score(const Tensor& f, const Tensor& y);
/// H(p) in nats, [N] float64.
Tensor entropy(const Tensor& f);

/// A reliability diagram: samples grouped by confidence.
struct Bins {
  Tensor edges;       ///< [B + 1] float64
  Tensor count;       ///< [B] int64
  Tensor accuracy;    ///< [B] float64; 0 where empty
  Tensor confidence;  ///< [B] float64 mean; 0 where empty
  double ece = 0;     ///< expected calibration error: sum_b count_b / N |accuracy_b - confidence_b|
  double mce = 0;     ///< maximum calibration error: the largest such gap of a bin with samples
};

/// Bins (b/B, (b+1)/B]: a confidence on an edge belongs below it, one of exactly 0 to none (it still counts in N).
/// Confidences and correctness [N], any floating dtype.
Bins equal_width_bins(const Tensor& confidence, const Tensor& correct, int64_t bins = 15);

/// As many samples in each bin: of the sorted confidences, bin b holds those from b N / B to (b+1) N / B. At most N
/// bins.
Bins equal_mass_bins(const Tensor& confidence, const Tensor& correct, int64_t bins = 15);

double expected_calibration_error(const Tensor& f, const Tensor& y, int64_t bins = 15);

/// Mean over classes of the ECE of p_k against [k = y] (Kull et al. 2019). A p_k that underflows to 0 lies in the first
/// bin.
double classwise_calibration_error(const Tensor& f, const Tensor& y, int64_t bins = 15);

struct MeasureOptions {
  int64_t bins = 15;  ///< of every calibration error
  static constexpr Range kBins{1, 1e6};
  double beta = 1e-4;  ///< of Smooth ECE, in kSmoothEceBeta
};

/// Every number that says how a classifier did on labelled samples.
struct Measures {
  int64_t count = 0;  ///< samples
  double accuracy = 0;
  double ece = 0;         ///< equal-width bins
  double ece_mass = 0;    ///< equal-mass bins, at most one a sample
  double mce = 0;         ///< equal-width bins
  double classwise = 0;   ///< classwise ECE
  double smooth_ece = 0;  ///< never below sqrt(beta)
  double nll = 0;         ///< nats
  double brier = 0;
  double confidence = 0;  ///< mean
  double entropy = 0;     ///< mean, nats
  Bins diagram;           ///< equal-width
};

/// One of the numbers of Measures, as tables and files show it.
struct MeasureField {
  const char* key;   ///< in JSON: "ece_mass"
  const char* name;  ///< in tables: "ECE equal mass"
  double Measures::*value;
  int digits;     ///< behind the point, in tables
  double factor;  ///< of the value in tables: 100 where they show per cent
};

/// All of them, in order of writing.
const std::vector<MeasureField>& measure_fields();

/// All measures of one set of samples.
Measures measure(const Tensor& f, const Tensor& y, const MeasureOptions& options = {});

/// {"count": N, "accuracy": ..., ..., "bins": [{"low", "high", "count", "accuracy", "confidence"}, ...]}
nlohmann::json to_json(const Measures& measures);

/// The Measures that to_json() wrote, the same bits. nlohmann::json::exception for anything else.
Measures measures_of(const nlohmann::json& json);

// The Smooth ECE: a calibration error that a classifier can be trained with.
//
//   f   logits  [N, K], N >= 1, K >= 2, float32 or float64, any device
//   y   labels  [N], int64 in [0, K), on f's device
//
// Pure functions: no state, no randomness, arguments untouched, callable from any thread. All throw ShapeError for
// wrong shapes and labels and NumericError for NaN or infinity.

/// A loss and its closed-form gradient, in the dtype and on the device of f.
struct Loss {
  Tensor value;     ///< []
  Tensor gradient;  ///< dL/df [N, K]
};

inline constexpr Range kSmoothEceBeta{0, 1, true};

/// Smooth ECE (Javid et al. 2025, eq. 1): mean of sqrt(r^2 + beta), r = confidence - correct. The correctness is a
/// constant and the gradient flows through the largest probability, at ties the first. Its bins cancel: each sample
/// lies in one.
///   dL/df_k = (1/N) r / sqrt(r^2 + beta) conf ([k = prediction] - p_k)
/// Its floor is sqrt(beta); it is not zero for a calibrated classifier. UsageError for a beta out of kSmoothEceBeta.
Loss smooth_ece(const Tensor& f, const Tensor& y, double beta = 1e-4);

/// Mean cross entropy + lambda smooth_ece: what a classifier is fine-tuned with (Algorithm 2).
Loss cross_entropy_with_smooth_ece(const Tensor& f, const Tensor& y, double lambda = 1, double beta = 1e-4);

// The entropy constraint: what keeps a noise-aware classifier from being sure of noise (Zheng et al. 2022).

/// Mean of log K - H(p) = KL(p || uniform), p = softmax(f); f as in smooth_ece(). Its gradient is p_k (log p_k + H)/N,
/// 0 for a classifier that prefers nothing.
Loss entropy_constraint(const Tensor& f);

// What repairs a trained classifier's confidences: its logits scaled.
//
//   f   logits  [N, K], N >= 1, K >= 2, float32 or float64, any device
//   y   labels  [N], int64 in [0, K), on f's device
//
// Pure functions: no state, no randomness, arguments untouched, callable from any thread. All throw ShapeError for
// wrong shapes and labels and NumericError for NaN or infinity.

/// The temperature T > 0 whose f / T has the least negative log likelihood (Guo et al. 2017), to a relative 1e-10.
/// Throws NumericError where there is none: every prediction right (T -> 0), or worse than chance (T -> infinity).
double fit_temperature(const Tensor& f, const Tensor& y);

/// Vector scaling: f_k -> scale_k f_k + shift_k.
struct VectorScaling {
  Tensor scale;  ///< [K] float64
  Tensor shift;  ///< [K] float64
  /// In the dtype and on the device of f.
  Tensor operator()(const Tensor& f) const;
};

inline constexpr Range kRidge{0, 1e3, true};

/// The scaling of least negative log likelihood + ridge/2 (|scale - 1|^2 + |shift|^2), by Newton's method. A ridge
/// above 0 makes the optimum finite and unique. Memory is (2K)^2 numbers. UsageError for a ridge out of kRidge.
VectorScaling fit_vector_scaling(const Tensor& f, const Tensor& y, double ridge = 1e-4);

}  // namespace sextant::calibration
