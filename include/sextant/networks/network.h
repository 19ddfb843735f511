// Networks whose parameter names equal the published checkpoints' keys.
#pragma once

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

}  // namespace sextant::networks
