// Does a classifier's confidence mean what it says? Measures of its logits on labelled samples.
//
//   f   logits  [N, K], N >= 1, K >= 2, float32 or float64, any device
//   y   labels  [N], int64 in [0, K), on f's device
//
// Pure functions: no state, no randomness, arguments untouched, callable from any thread. Measures are computed in
// float64. All throw ShapeError for wrong shapes and labels and NumericError for NaN or infinity.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "sextant/runtime/range.h"
#include "sextant/runtime/tensor.h"

namespace sextant::calibration {

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

/// Mean over classes of the ECE of p_k against [k = y] (Kull et al. 2019).
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

}  // namespace sextant::calibration
