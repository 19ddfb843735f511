// Networks whose parameter names equal the published checkpoints' keys, and what each kind takes and gives.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sextant/checkpoint/checkpoint.h"
#include "sextant/runtime/tensor.h"

namespace sextant::networks {

/// What a family of networks does, and so which interface its networks have.
enum class Role {
  kNoise,        ///< NoiseNetwork
  kSigma,        ///< EdmDenoiser
  kClassifier,   ///< ClassifierNetwork
  kFeatures,     ///< FeatureNetwork
  kAutoencoder,  ///< Autoencoder
  kClip,         ///< Clip
};

// The named tensors of a network, and where they are declared.

/// What layers do differently while their network trains; one for each network, shared by its layers.
struct TrainingMode {
  bool on = false;
  uint64_t seed = 0;             ///< of dropout's masks
  std::vector<int64_t> samples;  ///< number of each image of the batch among all that the training sees
  int64_t dropouts = 0;          ///< dropout layers declared
};

/// The named tensors of one network, declared by its constructor. Handles given out by `declare` stay
/// valid: loading and conversion replace the data behind them.
class Parameters {
 public:
  enum class Kind {
    kWeight,     ///< multiplies activations: converted to the compute dtype
    kNorm,       ///< of a normalisation layer or an embedding: at least float32
    kStatistic,  ///< a running mean or variance: at least float32, no gradient
    kConstant,   ///< computed by the constructor; a checkpoint may replace it or leave it out
    kCounter,    ///< integer bookkeeping (`num_batches_tracked`): may be missing
  };

  struct Entry {
    std::string name;
    std::vector<int64_t> shape;
    Kind kind;
    Tensor tensor;
  };

  Tensor declare(const std::string& name, std::vector<int64_t> shape, Kind kind);
  /// A constant with its computed value.
  Tensor declare_constant(const std::string& name, const Tensor& value);

  const std::vector<Entry>& entries() const { return entries_; }
  int64_t count() const;  ///< numbers in all weights and norms

  const std::shared_ptr<TrainingMode>& training() const { return training_; }

 private:
  std::vector<Entry> entries_;
  std::shared_ptr<TrainingMode> training_ = std::make_shared<TrainingMode>();
};

/// A place in the hierarchy of names: `scope / "input_blocks" / 0` declares under "input_blocks.0.".
class Scope {
 public:
  explicit Scope(Parameters& parameters, std::string prefix = "")
      : parameters_(&parameters), prefix_(std::move(prefix)) {}
  Scope operator/(const std::string& child) const { return Scope(*parameters_, prefix_ + child + "."); }
  Scope operator/(int64_t child) const { return *this / std::to_string(child); }
  Tensor weight(const std::string& name, std::vector<int64_t> shape) const {
    return parameters_->declare(prefix_ + name, std::move(shape), Parameters::Kind::kWeight);
  }
  Tensor norm(const std::string& name, std::vector<int64_t> shape) const {
    return parameters_->declare(prefix_ + name, std::move(shape), Parameters::Kind::kNorm);
  }
  Tensor statistic(const std::string& name, std::vector<int64_t> shape) const {
    return parameters_->declare(prefix_ + name, std::move(shape), Parameters::Kind::kStatistic);
  }
  Tensor counter(const std::string& name) const {
    return parameters_->declare(prefix_ + name, {}, Parameters::Kind::kCounter);
  }
  Tensor constant(const std::string& name, const Tensor& value) const {
    return parameters_->declare_constant(prefix_ + name, value);
  }
  const std::shared_ptr<TrainingMode>& training() const { return parameters_->training(); }

 private:
  Parameters* parameters_;
  std::string prefix_;
};

// A network is built from its config without memory for weights, then filled by `load` (or by the tests' fill rule).
// It computes in the dtype of its weights; norms, softmaxes and sinusoidal embeddings stay in float32 at
// least (float64 in a float64 network). Forward passes are const, thread-safe and differentiable in
// their input. A network that was opened for training by `train` is differentiable in its weights too, and then one
// thread at a time may use it.

class Network {
 public:
  Network() = default;
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;
  virtual ~Network() = default;

  const Parameters& parameters() const { return parameters_; }

  /// Takes the weights. A missing or extra key or a wrong shape throws CheckpointError that names the key, both
  /// shapes and the nearest key; `source` is the file's name for that message.
  void load(const checkpoint::StateDict& weights, const std::string& source = "state dict");

  /// The weights under the names that the constructor declared, as `load` takes them. Families published in several
  /// layouts override it.
  virtual checkpoint::StateDict renamed(const checkpoint::StateDict& weights) const { return weights; }

  /// Moves and converts in place; norms stay at least float32.
  void to(at::Device device, at::ScalarType compute);

  /// Prepares for inference with weights that no longer train: folds batch norms into convolutions, lays weights out
  /// for the machine, as the network can. Results change within rounding; parameters() do not. Holds through later
  /// `load` and `to`.
  void freeze();

  /// Opens the network for training: it gets its own copy of the weights, weights and norms require gradients, batch
  /// norms take the batch's statistics and move the running ones, dropouts drop. Error for a frozen network.
  void train();
  /// The images of the next forward pass in training, by their numbers: dropout's masks depend on (seed, number).
  void begin_batch(uint64_t seed, std::vector<int64_t> samples) const;

  at::Device device() const { return device_; }
  at::ScalarType compute_type() const { return compute_; }
  /// Another number after each change that puts weights elsewhere: load(), to(), freeze(), train().
  uint64_t revision() const { return revision_; }

 protected:
  /// Derives what forward passes of a frozen network use besides the parameters: called by freeze(), and after every
  /// change of a frozen network's weights.
  virtual void prepare() {}

  /// For a network that is another one seen differently: its parameters, device and dtype.
  void stands_for(const Network& other) {
    parameters_ = other.parameters_;
    device_ = other.device_;
    compute_ = other.compute_;
  }

  Parameters parameters_;

 private:
  at::Device device_ = at::kCPU;
  at::ScalarType compute_ = at::kFloat;
  bool frozen_ = false;
  uint64_t revision_ = 0;
};

// ---- kinds --------------------------------------------------------------------------------------------------------
//
// What each kind of network takes and gives.

/// A network that predicts noise (and perhaps variance) from a noisy image.
class NoiseNetwork : public Network {
 public:
  /// x [B, C, H, W]; t [B], the model's own timesteps, integral or floating; y [B] int64 class labels, or undefined for
  /// a network without classes. Returns [B, C_out, H, W] in float32 at least.
  virtual Tensor forward(const Tensor& x, const Tensor& t, const Tensor& y) const = 0;
  virtual std::vector<int64_t> image_shape() const = 0;  ///< [C, H, W]
  virtual int64_t out_channels() const = 0;
  virtual int64_t num_classes() const = 0;  ///< rows of the label table, the null class included; 0 if unconditional
  /// Channels that the published sampler's classifier-free guidance acts on.
  virtual int64_t cfg_channels() const { return image_shape()[0]; }
};

/// A network inside its preconditioning: estimates the clean image in x = image + sigma noise (Karras et al. 2022).
class EdmDenoiser : public Network {
 public:
  /// x [B, C, H, W]; sigma [B] or a single number for all, in (0, inf); labels: int64 ids [B] or [1], one-hot or mixed
  /// rows [B, K] or [1, K], or undefined for none (a row of zeros). An unconditional network ignores labels. Returns
  /// [B, C, H, W] in float32 at least. ShapeError for anything else; what a GPU holds makes NaN instead.
  virtual Tensor denoise(const Tensor& x, const Tensor& sigma, const Tensor& labels = {}) const = 0;
  virtual std::vector<int64_t> image_shape() const = 0;  ///< [C, H, W]
  virtual int64_t num_classes() const = 0;               ///< K; 0 if unconditional
  virtual double sigma_min() const = 0;                  ///< smallest noise level the network was made for
  virtual double sigma_max() const = 0;                  ///< largest; may be infinite
  /// The nearest noise levels the network knows; sigma itself where it knows all. Any shape, dtype kept.
  virtual Tensor round_sigma(const Tensor& sigma) const { return sigma; }
};

/// A network that classifies images.
class ClassifierNetwork : public Network {
 public:
  /// x [B, C, H, W] in the network's own input convention; t [B] timesteps, ignored unless `uses_time()`.
  /// Returns logits [B, K] in float32 at least.
  virtual Tensor forward(const Tensor& x, const Tensor& t = {}) const = 0;
  virtual bool uses_time() const { return false; }
  virtual int64_t num_classes() const = 0;
  virtual int64_t image_size() const { return 0; }  ///< height and width that x must have; 0 takes any

  /// Layers that describe an image, called as the reference calls the module, the one before the last linear layer
  /// first; empty for none.
  virtual std::vector<std::string> feature_layers() const { return {}; }
  /// The output of `layer` [B, D] in float32 at least, averaged over the pixels where it has any. UsageError that lists
  /// feature_layers() for another word.
  Tensor features(const Tensor& x, const std::string& layer) const;

 protected:
  /// Hears the name and the output of each of feature_layers().
  using LayerSeen = std::function<void(const std::string& layer, const Tensor& output)>;
  /// forward(x), telling `seen`, which may be empty. For networks with feature_layers().
  virtual Tensor trace(const Tensor& x, const LayerSeen& seen) const;
};

/// Mean and deviation of ImageNet's pixels in [0, 1], per channel: its classifiers are normalised by them.
inline constexpr double kImageNetMean[3] = {0.485, 0.456, 0.406};
inline constexpr double kImageNetStd[3] = {0.229, 0.224, 0.225};

// Networks whose inner values describe images, for the Frechet distance and its relatives.

/// Brings its own preprocessing: everybody hands it plain pixels.
class FeatureNetwork : public Network {
 public:
  using Features = std::map<std::string, Tensor>;

  /// images [B, C, H, W], pixels 0 to 255, uint8 or floating point. Every feature that the network has, by name, each
  /// [B, D] in float32 at least, rows independent of the rest of the batch:
  ///   pool             features of the Frechet distance, the kernel distance, precision and recall
  ///   spatial          features of the spatial Frechet distance (Inception: 2023)
  ///   logits           of the network's own classes
  ///   logits_unbiased  without the last layer's bias; their softmax over all classes is the inception score's
  ///   feat768          averages of an earlier layer (Inception)
  /// ShapeError for other shapes.
  virtual Features forward(const Tensor& images) const = 0;
  virtual int64_t channels() const = 0;             ///< C
  virtual int64_t image_size() const { return 0; }  ///< H and W, or 0 where every size will do
};

/// A variational autoencoder between images and the latents that a latent diffusion model works on (Rombach et al.
/// 2022).
class Autoencoder : public Network {
 public:
  struct Latent {
    Tensor mean;     ///< [B, latent_channels, H / factor, W / factor], not yet scaled
    Tensor log_var;  ///< the same shape, in [-30, 20]
  };

  /// x [B, 3, H, W] in [-1, 1], H and W multiples of factor().
  virtual Latent encode(const Tensor& x) const = 0;
  /// z [B, latent_channels, h, w], not scaled; returns [B, 3, h factor, w factor], about [-1, 1], not clipped.
  virtual Tensor decode(const Tensor& z) const = 0;
  virtual int64_t latent_channels() const = 0;
  virtual int64_t factor() const = 0;
  virtual double scaling_factor() const = 0;  ///< the diffusion model sees mean * scaling_factor
};

/// CLIP: images and texts in one space (Radford et al. 2021).
class Clip : public Network {
 public:
  /// image [B, 3, R, R], normalised with the mean and deviation of kClipMean and kClipStd. Returns [B, D], not
  /// normalised.
  virtual Tensor image_features(const Tensor& image) const = 0;
  /// tokens [N, L] int64, as ClipTokenizer makes them. Returns [N, D], not normalised.
  virtual Tensor text_features(const Tensor& tokens) const = 0;
  /// exp(logit_scale) cos(image_i, text_j) [B, N] of features [B, D] and [N, D], normalised or not.
  virtual Tensor logits(const Tensor& image_features, const Tensor& text_features) const = 0;
  virtual int64_t image_resolution() const = 0;  ///< R
  virtual int64_t context_length() const = 0;    ///< L
};

inline constexpr double kClipMean[3] = {0.48145466, 0.4578275, 0.40821073};
inline constexpr double kClipStd[3] = {0.26862954, 0.26130258, 0.27577711};

}  // namespace sextant::networks
