// Networks whose parameter names equal the published checkpoints' keys.
//
// A network is built from its config without memory for weights, then filled by `load` (or by the tests' fill rule).
// It computes in the dtype of its weights; norms, softmaxes and sinusoidal embeddings stay in float32 at
// least (float64 in a float64 network). Forward passes are const, thread-safe and differentiable in
// their input. A network that was opened for training by `train` is differentiable in its weights too, and then one
// thread at a time may use it.
#pragma once

#include <string>
#include <vector>

#include "sextant/checkpoint/state_dict.h"
#include "sextant/networks/parameters.h"

namespace sextant::networks {

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

 protected:
  /// Derives what forward passes of a frozen network use besides the parameters: called by freeze(), and after every
  /// change of a frozen network's weights.
  virtual void prepare() {}

  Parameters parameters_;

 private:
  at::Device device_ = at::kCPU;
  at::ScalarType compute_ = at::kFloat;
  bool frozen_ = false;
};

}  // namespace sextant::networks
