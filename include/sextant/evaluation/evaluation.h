// Scores a set of images against a reference set: images are embedded by a feature network, features are compared by
// the functions of metrics.h, and the result says under which conventions.
//
// Memory is bounded by the features that are kept (none, or D float32 an image), never by the images. UsageError,
// DataError and NumericError name the file or image.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "sextant/data/images.h"
#include "sextant/guidance/guide.h"
#include "sextant/metrics/metrics.h"
#include "sextant/networks/features.h"
#include "sextant/runtime/progress.h"
#include "sextant/runtime/stop.h"

namespace sextant::metrics {

/// Whose numbers ours are to agree with; docs/metrics.md says where they differ. Numbers of different protocols must
/// not be compared.
enum class Protocol {
  kOpenAi,         ///< guided-diffusion's evaluator: TensorFlow 1 resize; inception score in chunks of 5000
  kPytorchFid,     ///< pytorch-fid: F.interpolate on [0, 1]; inception score in 10 parts in order
  kTorchFidelity,  ///< torch-fidelity: TensorFlow 1 resize; inception score in 10 parts after a fixed shuffle
};
std::vector<std::string> protocol_names();
/// "openai", "pytorch-fid" or "torch-fidelity"; UsageError for another word.
Protocol parse_protocol(const std::string& name);
std::string name_of(Protocol protocol);

// ---- embedding
// -------------------------------------------------------------------------------------------------------

/// A feature network with what identifies its numbers.
struct FeatureExtractor {
  std::shared_ptr<const networks::FeatureNetwork> network;
  std::string name;  ///< its type and resize or layer: "inception-fid (tensorflow1)", "resnet (avgpool)"
  std::string hash;  ///< of configuration and weights, 32 hexadecimal digits

  bool is_inception() const;
};

/// The network of `path`: a model folder; a file of Inception weights (pt_inception-2015-12-05, as pytorch-fid and
/// torch-fidelity publish it), which resizes as `protocol` does; or with `arch` or `layer` a checkpoint file of another
/// network, whose `layer` describes the images, see models::open_features(). An image classifier needs a `layer`.
FeatureExtractor open_extractor(const std::filesystem::path& path, Protocol protocol, at::Device device = at::kCPU,
                                at::ScalarType precision = at::kFloat, const std::string& arch = "",
                                const std::string& layer = "");

struct EmbedOptions {
  int64_t batch = 64;         ///< images per forward pass
  bool skip_bad = false;      ///< leave out images that cannot be read, instead of failing at the first
  bool keep_features = true;  ///< for precision, recall, KID and bootstrap intervals
  /// Judges every image beside the network, or null.
  std::shared_ptr<const guidance::Classifier> classifier = nullptr;
  bool resize = false;  ///< take images of several sizes; without it one of another size is an error that names it
};

/// What a network made of a set of images.
struct Embedding {
  std::string source;                ///< path of the set
  int64_t count = 0;                 ///< images embedded; 0 where a statistics file does not say
  Gaussian pool;                     ///< of the "pool" features
  std::optional<Gaussian> spatial;   ///< of the "spatial" features, for sFID
  Tensor features;                   ///< [count, D] float32 "pool" features, or undefined
  Tensor logits;                     ///< [count, K] float32 for the inception score, or undefined
  Tensor judge_logits;               ///< [count, K] float32 of EmbedOptions::classifier, or undefined
  Tensor labels;                     ///< [count] int64, or undefined
  std::vector<std::string> skipped;  ///< names of images left out
};

/// data::open_images(), with the files of a folder converted to as many channels as the network takes.
std::unique_ptr<data::ImageSet> open_images_for(const FeatureExtractor& extractor, const std::filesystem::path& path);

/// Embeds every image, decoding ahead on other threads. Nothing when `stop` was requested. DataError for fewer than two
/// images.
std::optional<Embedding> embed(const data::ImageSet& images, const std::string& source,
                               const FeatureExtractor& extractor, const EmbedOptions& options, Progress& progress,
                               const Stop& stop);

// ---- reference statistics
// --------------------------------------------------------------------------------------------

/// Writes mu and sigma, mu_s and sigma_s where there are, count, and the extractor's hash as `extractor` (uint8): what
/// pytorch-fid, EDM and OpenAI's evaluator read. `with_features` adds the features as arr_0.
void save_statistics(const std::filesystem::path& path, const Embedding& embedding, const FeatureExtractor& extractor,
                     bool with_features);

struct ReferenceOptions {
  bool need_features = true;  ///< for precision, recall and KID
  bool cache = true;          ///< keep what was embedded beside the reference, where that can be written
};

/// A reference from statistics (.npz with mu and sigma; its arr_0, images or features, serves where features are
/// needed), or from any set of images, embedded now or by an earlier run: the cache is a file beside the reference,
/// named by the contents of both. UsageError for statistics of another extractor, where the file says so or its width
/// shows it.
std::optional<Embedding> open_reference(const std::filesystem::path& path, const FeatureExtractor& extractor,
                                        const EmbedOptions& embedding, const ReferenceOptions& options,
                                        Progress& progress, const Stop& stop);

// ---- the report
// ------------------------------------------------------------------------------------------------------

/// Keys of all numbers: "fid", "sfid", "is", "precision", "recall", "density", "coverage", "kid", "fid-infinity",
/// "accuracy", "ece".
std::vector<std::string> metric_names();

struct EvaluateOptions {
  Protocol protocol = Protocol::kOpenAi;
  std::vector<std::string> metrics;  ///< keys; empty takes all that the data allow but fid-infinity
  int64_t neighbours = 3;            ///< of precision and recall
  int64_t kid_subsets = 100;
  int64_t kid_subset_size = 1000;  ///< at most; smaller sets are taken whole
  int64_t resamples = 1000;        ///< of the bootstrap of precision, recall and accuracy; 0 for no intervals
  int64_t frechet_resamples = -1;  ///< of FID's, each of which costs one distance; -1: 100 up to 512 dimensions, else 0
  double level = 0.95;             ///< of the intervals
  bool judge_labels = false;       ///< "accuracy" and "ece": the network's classes are those of the labels
  std::string judge_name;          ///< path of the classifier that judged instead, if one did
};

struct Measure {
  std::string key;    ///< "fid"
  std::string label;  ///< "FID"
  double value = 0;
  std::optional<double> deviation;  ///< over parts or subsets, where the metric is defined with one
  std::optional<Interval>
      interval;  ///< precision, recall and accuracy: percentiles; FID: value -+ z times the deviation,
                 ///< because resampled sets lie farther from any reference than the set itself
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
  std::optional<ClassAccuracy> classes;
  std::vector<std::string> notes;  ///< what a reader must know to compare the numbers
  double level = 0.95;
};

/// Nothing when `stop` was requested. UsageError for a metric asked for by name that the data do not allow.
std::optional<Evaluation> evaluate(const Embedding& samples, const Embedding& reference,
                                   const FeatureExtractor& extractor, const EvaluateOptions& options,
                                   Progress& progress, const Stop& stop);

nlohmann::json to_json(const Evaluation& evaluation);

}  // namespace sextant::metrics
