// Networks whose parameter names equal the published checkpoints' keys.
//
// A network is built from its config without memory for weights, then filled by `load` (or by the tests' fill rule).
// It computes in the dtype of its weights; norms, softmaxes and sinusoidal embeddings stay in float32 at
// least (float64 in a float64 network). Forward passes are const, thread-safe and differentiable in
// their input.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sextant/checkpoint.h"
#include "sextant/tensor.h"

namespace sextant::networks {

/// The named tensors of one network, declared by its constructor. Handles given out by `declare` stay
/// valid: loading and conversion replace the data behind them.
class Parameters {
 public:
  enum class Kind {
    kWeight,    ///< multiplies activations: converted to the compute dtype
    kNorm,      ///< of a normalisation layer or a buffer of statistics: at least float32
    kConstant,  ///< computed by the constructor; a checkpoint may replace it or leave it out
    kCounter,   ///< integer bookkeeping (`num_batches_tracked`): may be missing
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

 private:
  std::vector<Entry> entries_;
};

/// A place in the hierarchy of names: `scope / "input_blocks" / 0` declares under "input_blocks.0.".
class Scope {
 public:
  explicit Scope(Parameters& parameters, std::string prefix = "") : parameters_(&parameters), prefix_(std::move(prefix)) {}
  Scope operator/(const std::string& child) const { return Scope(*parameters_, prefix_ + child + "."); }
  Scope operator/(int64_t child) const { return *this / std::to_string(child); }
  Tensor weight(const std::string& name, std::vector<int64_t> shape) const {
    return parameters_->declare(prefix_ + name, std::move(shape), Parameters::Kind::kWeight);
  }
  Tensor norm(const std::string& name, std::vector<int64_t> shape) const {
    return parameters_->declare(prefix_ + name, std::move(shape), Parameters::Kind::kNorm);
  }
  Tensor counter(const std::string& name) const {
    return parameters_->declare(prefix_ + name, {}, Parameters::Kind::kCounter);
  }
  Tensor constant(const std::string& name, const Tensor& value) const {
    return parameters_->declare_constant(prefix_ + name, value);
  }

 private:
  Parameters* parameters_;
  std::string prefix_;
};

class Network {
 public:
  Network() = default;
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;
  virtual ~Network() = default;

  const Parameters& parameters() const { return parameters_; }

  /// Takes the weights. A missing or extra key or a wrong shape throws CheckpointError that names the key, both
  /// shapes and the nearest key; `source` is the file's name for that message.
  void load(const StateDict& weights, const std::string& source = "state dict");

  /// Moves and converts in place; norms stay at least float32.
  void to(at::Device device, at::ScalarType compute);

  at::Device device() const { return device_; }
  at::ScalarType compute_type() const { return compute_; }

 protected:
  Parameters parameters_;

 private:
  at::Device device_ = at::kCPU;
  at::ScalarType compute_ = at::kFloat;
};

/// A network that predicts noise (and perhaps variance) from a noisy image.
class NoiseNetwork : public Network {
 public:
  /// x [B, C, H, W]; t [B], the model's own timesteps, integral or floating; y [B] int64 class labels, or undefined for
  /// a network without classes. Returns [B, C_out, H, W] in float32 at least.
  virtual Tensor forward(const Tensor& x, const Tensor& t, const Tensor& y) const = 0;
  virtual std::vector<int64_t> image_shape() const = 0;  ///< [C, H, W]
  virtual int64_t out_channels() const = 0;
  virtual int64_t num_classes() const = 0;  ///< rows of the label table, the null class included; 0 if unconditional
};

/// A network that classifies images.
class ClassifierNetwork : public Network {
 public:
  /// x [B, C, H, W] in the network's own input convention; t [B] timesteps, ignored unless `uses_time()`.
  /// Returns logits [B, K] in float32 at least.
  virtual Tensor forward(const Tensor& x, const Tensor& t = {}) const = 0;
  virtual bool uses_time() const { return false; }
  virtual int64_t num_classes() const = 0;
};

}  // namespace sextant::networks
