// Images become features, features statistics, and a set of images is scored against another.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sextant/data/images.h"
#include "sextant/guidance/classifier.h"
#include "sextant/metrics/metrics.h"
#include "sextant/models/models.h"
#include "sextant/networks/network.h"
#include "sextant/runtime/progress.h"
#include "sextant/runtime/range.h"

namespace sextant::evaluation {

// The network that embeds images, with what identifies its numbers.

/// Whose numbers ours are to agree with; docs/metrics.md says where they differ. Numbers of different protocols must
/// not be compared.
enum class Protocol {
  kOpenAi,         ///< guided-diffusion's evaluator: TensorFlow 1 resize; inception score in chunks of 5000
  kPytorchFid,     ///< pytorch-fid: F.interpolate on [0, 1]; it has no inception score: as torch-fidelity's
  kTorchFidelity,  ///< torch-fidelity: TensorFlow 1 resize; inception score in 10 parts after a fixed shuffle
  kCleanFid,       ///< clean-fid's "clean": Pillow's bicubic filter; it has no inception score: as torch-fidelity's
};
/// Their words: "openai", "pytorch-fid", "torch-fidelity", "clean-fid".
const std::vector<std::pair<std::string, Protocol>>& protocol_words();
std::string name_of(Protocol protocol);

/// A feature network with what identifies its numbers. Without a network only a classifier sees the images.
struct FeatureExtractor {
  std::shared_ptr<const networks::FeatureNetwork> network;
  std::string name;  ///< its type and resize or layer: "inception-fid (tensorflow1)", "resnet (avgpool)"
  std::string hash;  ///< of configuration and weights, 32 hexadecimal digits
  data::NetworkClasses classes = {};  ///< of its logits, as far as its config.json tells them

  bool is_inception() const;
};

/// A network that describes images.
struct FeatureConfig {
  std::string path = {};               ///< folder with config.json and weights, or a checkpoint file
  std::string arch = {};               ///< architecture of a checkpoint file; "" is Inception's
  models::WeightsChoice weights = {};  ///< of a checkpoint file
  std::string layer = {};              ///< of an image classifier, whose output describes an image; else ""
};

/// The network of config.path: a model folder; a file of Inception weights (pt_inception-2015-12-05, as pytorch-fid and
/// torch-fidelity publish it), which resizes as `protocol` does; or with `arch` or `layer` a checkpoint file of another
/// network, whose `layer` describes the images, see models::open_features(). An image classifier needs a `layer`.
FeatureExtractor open_extractor(const FeatureConfig& config, Protocol protocol, models::Placement placement = {});

/// The folder of a mixture gives 10,000 exact draws, always the same. Any other path is for data::open_images(), with
/// as many channels as the network takes, if there is one, for its classes where `read` names none.
std::unique_ptr<data::ImageSet> open_images_for(const FeatureExtractor& extractor, const std::filesystem::path& path,
                                                const data::ReadOptions& read = {});

// Images become features.
//
// Memory is bounded by the features that are kept (none, or D float32 an image), never by the images. UsageError,
// DataError and NumericError name the file or image.

struct EmbedOptions {
  int64_t batch = 64;  ///< images per forward pass
  static constexpr Range kBatch{1, 1e6};
  bool skip_bad = false;                 ///< leave out images that cannot be read, instead of failing at the first
  bool need_statistics = true;           ///< mean and covariance, which need two images
  bool keep_features = true;             ///< for precision, recall, KID and bootstrap intervals
  guidance::Classifier classifier = {};  ///< judges every image beside the network, or none
  at::Device device = at::kCPU;          ///< of the classifier where there is no feature network
  data::ReadOptions read = {};           ///< size, crop and classes of open_images_for(), used by open_reference()
  bool resize = false;  ///< take images of several sizes; without it one of another size is an error that names it
};

/// What a network made of a set of images.
struct Embedding {
  std::string source;                        ///< path of the set
  int64_t count = 0;                         ///< images embedded; 0 where a statistics file does not say
  metrics::Gaussian pool;                    ///< of the "pool" features; undefined without need_statistics
  std::optional<metrics::Gaussian> spatial;  ///< of the "spatial" features, for sFID
  Tensor features;                           ///< [count, D] float32 "pool" features, or undefined
  Tensor logits;                             ///< [count, K] float32 for the inception score, or undefined
  Tensor judge_logits;                       ///< [count, K] float32 of EmbedOptions::classifier, or undefined
  Tensor labels;                             ///< [count] int64, or undefined
  std::vector<std::string> skipped;          ///< names of images left out
};

/// Embeds every image, decoding ahead on other threads. Nothing when `stop` was requested. DataError for fewer than two
/// images where statistics are needed, else for none.
std::optional<Embedding> embed(const data::ImageSet& images, const std::string& source,
                               const FeatureExtractor& extractor, const EmbedOptions& options, Progress& progress,
                               const Stop& stop);

// Statistics of a set's features in an .npz: what pytorch-fid, EDM and OpenAI's evaluator write and read.
//
//   mu, sigma      mean [D] and covariance [D, D]; also m, s; mean, cov
//   mu_s, sigma_s  those of the spatial features, for sFID
//   count          images behind them
//   extractor      uint8: the digits of FeatureExtractor::hash
//   arr_0          features [N, D] (also pool_3, features), or images, as in OpenAI's reference batches
//
// What others keep is read too: EDM2's .pkl, a dictionary {"fid": {"mu", "sigma"}, "fd_dinov2": ...}; StyleGAN's .pkl
// of sums (raw_mean, raw_cov, num_items); arrays of these names in a checkpoint file. Pickles are read as data.
//
// All throw DataError that names the file.

struct Statistics {
  metrics::Gaussian pool;  ///< float64; its count is 0 where the file does not say
  std::optional<metrics::Gaussian> spatial;
  std::string extractor;  ///< hash of the network behind them; "" where the file does not say
  Tensor features;        ///< [N, D] float32, or undefined
  std::string note;       ///< a line on which of several were taken, or from features; "" where there is no choice
};

/// Whether `path` is a file with a mean, a covariance or features in it under one of these names.
bool has_statistics(const std::filesystem::path& path);

/// Float32 statistics are widened. A file of several networks' gives those of `dimensions` (0: any), "fid" first.
/// Throws also for NaN, infinity and shapes that do not fit together.
Statistics read_statistics(const std::filesystem::path& path, int64_t dimensions = 0);

void save_statistics(const std::filesystem::path& path, const Statistics& statistics);

// The set that samples are compared with: its statistics, and its features where they are needed.

/// What a file keeps of an embedding, with its features or without.
Statistics statistics_of(const Embedding& embedding, const FeatureExtractor& extractor, bool with_features);

struct ReferenceOptions {
  bool need_features = true;  ///< for precision, recall and KID
  bool cache = true;          ///< keep what was embedded beside the reference, where that can be written
  int64_t dimensions = 0;     ///< of the features, to choose among statistics of several networks; 0: not known
};

/// A reference from statistics (.npz with mu and sigma; its arr_0, images or features, serves where features are
/// needed), or from any set of images, embedded now or by an earlier run: the cache is a file beside the reference,
/// named by the contents of both. UsageError for statistics of another extractor, where the file says so or its width
/// shows it; DataError and NumericError as embed(); nothing when `stop` was requested.
std::optional<Embedding> open_reference(const std::filesystem::path& path, const FeatureExtractor& extractor,
                                        const EmbedOptions& embedding, const ReferenceOptions& options,
                                        Progress& progress, const Stop& stop);

// ---- scores -------------------------------------------------------------------------------------------------------
//
// Scores a set of images against a reference set: their features are compared by the functions of metrics/, and the
// result says under which conventions.

enum class Metric {
  kFid,
  kSfid,
  kInceptionScore,
  kPrecision,
  kRecall,
  kDensity,
  kCoverage,
  kKid,
  kFidInfinity,
  kAccuracy,
  kEce
};

/// Their words in results and settings: "fid", "sfid", "is", ..., "fid-infinity", "accuracy", "ece".
const std::vector<std::pair<std::string, Metric>>& metric_words();

struct EvaluateOptions {
  Protocol protocol = Protocol::kOpenAi;
  std::vector<Metric> metrics;  ///< empty takes all that the data allow but kFidInfinity
  int64_t neighbours = 3;       ///< of precision and recall
  static constexpr Range kNeighbours{1, 1e6};
  int64_t kid_subsets = 100;
  static constexpr Range kKidSubsets{1, 1e6};
  int64_t kid_subset_size = 1000;  ///< at most; smaller sets are taken whole
  static constexpr Range kKidSubsetSize{2, 1e6};
  int64_t bootstrap = 1000;  ///< resamples for precision, recall and accuracy; 0 for no intervals; 1 is refused
  static constexpr Range kBootstrap{0, 1e6};
  int64_t bootstrap_fid = -1;  ///< those of FID, a distance each; -1: 100 up to 512 dimensions, else 0
  static constexpr Range kBootstrapFid{-1, 1e6};
  double level = 0.95;  ///< of the intervals
  static constexpr Range kLevel{0.5, 0.9999};
  /// The labels are places of folder names in sorted order: "accuracy" and "ece" only where asked for by name.
  bool labels_unsure = false;
  std::string judge_name;  ///< path of the classifier that judged instead, if one did
};

struct Measure {
  std::string key;    ///< its word, "fid"
  std::string label;  ///< "FID"
  double value = 0;
  std::optional<double> deviation;  ///< over parts or subsets, where the metric is defined with one
  /// Precision, recall and accuracy: percentiles; FID: value -+ z times the deviation, because resampled sets lie
  /// farther from any reference than the set itself.
  std::optional<metrics::Interval> interval;
};

struct Evaluation {
  Protocol protocol = Protocol::kOpenAi;
  std::string extractor, extractor_hash;
  int64_t dimensions = 0;
  std::string classifier;  ///< whose classes "accuracy" and "ece" are; the feature network's where empty
  std::string sample_source, reference_source;
  int64_t sample_count = 0, reference_count = 0;
  std::vector<std::string> skipped;  ///< samples that could not be read
  std::vector<Measure> measures;
  std::optional<metrics::ClassAccuracy> classes;
  std::vector<std::string> notes;  ///< what a reader must know to compare the numbers
  double level = 0.95;
};

/// Inception Score, accuracy and ECE need no reference: then it may be empty. "is-shuffled" comes beside "is" where the
/// protocol goes by the order of the images and that matters. Nothing when `stop` was requested. UsageError for a
/// setting out of its range and for a metric asked for that the data do not allow.
std::optional<Evaluation> evaluate(const Embedding& samples, const Embedding& reference,
                                   const FeatureExtractor& extractor, const EvaluateOptions& options,
                                   Progress& progress, const Stop& stop);

nlohmann::json to_json(const Evaluation& evaluation);

}  // namespace sextant::evaluation
