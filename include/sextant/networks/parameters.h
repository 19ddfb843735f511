// The named tensors of a network, and where they are declared.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sextant/runtime/tensor.h"

namespace sextant::networks {

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

}  // namespace sextant::networks
